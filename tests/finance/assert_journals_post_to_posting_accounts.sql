-- Journals post to accounts of the chart that take postings. Failure rows: the journal, the account and the amount.
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

chart_of_accounts as (
    select * from {{ ref('stg_erp__chart_of_accounts') }}
)

select
    journal_lines.journal_id,
    journal_lines.fiscal_period,
    journal_lines.account_id,
    journal_lines.debit_amount - journal_lines.credit_amount as amount,
    'journal ' || journal_lines.journal_id || ', period ' || coalesce(journal_lines.fiscal_period, 'none')
    || ': amount ' || {{ as_text('journal_lines.debit_amount - journal_lines.credit_amount') }}
    || ' is posted to account ' || {{ as_text('journal_lines.account_id', 'none') }}
    || case
        when chart_of_accounts.account_id is null then ', which the chart does not have'
        else ' (' || chart_of_accounts.account_name || '), which is a heading'
    end as message
from journal_lines
left join chart_of_accounts on journal_lines.account_id = chart_of_accounts.account_id
where not coalesce(chart_of_accounts.is_posting, false)
