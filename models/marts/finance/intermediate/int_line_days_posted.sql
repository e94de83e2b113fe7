-- one row: what the (simulated) journals of one type posted to the accounts of one statement line on one date
with journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
)

select
    journal_lines.journal_type,
    journal_lines.posting_date,
    coalesce(accounts.statement_line_code, 'none') as statement_line_code,
    cast(sum(journal_lines.net_debit_amount) as numeric(16, 2)) as net_debit_amount,
    cast(
        sum(case when journal_lines.net_debit_amount < 0 then journal_lines.net_debit_amount else 0 end)
        as numeric(16, 2)
    ) as credit_amount
from journal_lines
inner join accounts on journal_lines.account_key = accounts.account_key
group by
    journal_lines.journal_type,
    journal_lines.posting_date,
    coalesce(accounts.statement_line_code, 'none')
