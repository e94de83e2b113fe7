-- one row: one (simulated) journal that was entered in a later period than the one it belongs to
with journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
)

select
    journal_lines.journal_id,
    journal_lines.journal_type,
    journal_lines.department,
    journal_lines.description,
    journal_lines.posting_date,
    journal_lines.entry_date,
    journal_lines.fiscal_period,
    journal_lines.entry_fiscal_period,
    periods.closes_on,
    journal_lines.is_closed_period_entry,
    journal_lines.reverses_journal_id,
    cast(sum(journal_lines.debit_amount) as numeric(16, 2)) as journal_amount,
    cast(
        sum(case when accounts.statement_name = 'income_statement' then -journal_lines.net_debit_amount else 0 end)
        as numeric(16, 2)
    ) as profit_amount
from journal_lines
inner join accounts on journal_lines.account_key = accounts.account_key
inner join periods on journal_lines.fiscal_period = periods.fiscal_period
where journal_lines.is_late_entry
group by
    journal_lines.journal_id,
    journal_lines.journal_type,
    journal_lines.department,
    journal_lines.description,
    journal_lines.posting_date,
    journal_lines.entry_date,
    journal_lines.fiscal_period,
    journal_lines.entry_fiscal_period,
    periods.closes_on,
    journal_lines.is_closed_period_entry,
    journal_lines.reverses_journal_id
