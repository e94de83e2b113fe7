-- one row: one line of one (simulated) journal
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

departments as (
    select * from {{ ref('dim_department') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

reversals as (
    select distinct reverses_journal_id
    from journal_lines
    where reverses_journal_id is not null
)

select
    journal_lines.journal_id,
    journal_lines.line_number,
    coalesce(accounts.account_key, 0) as account_key,
    case when journal_lines.department is null then -1 else coalesce(departments.department_key, 0) end
        as department_key,
    journal_lines.journal_type,
    journal_lines.posting_date,
    journal_lines.entry_date,
    journal_lines.fiscal_period,
    dates.fiscal_period as entry_fiscal_period,
    journal_lines.account_id,
    coalesce(journal_lines.department, 'NO DEPARTMENT') as department,
    journal_lines.description,
    journal_lines.reverses_journal_id,
    journal_lines.debit_amount,
    journal_lines.credit_amount,
    cast(journal_lines.debit_amount - journal_lines.credit_amount as numeric(16, 2)) as net_debit_amount,
    journal_lines.journal_type = 'opening' as is_opening,
    coalesce(dates.fiscal_period > journal_lines.fiscal_period, false) as is_late_entry,
    coalesce(journal_lines.entry_date > periods.closes_on, false) as is_closed_period_entry,
    journal_lines.reverses_journal_id is not null as is_reversal,
    reversals.reverses_journal_id is not null as is_reversed
from journal_lines
left join accounts on journal_lines.account_id = accounts.account_id
left join departments on journal_lines.department = departments.department
left join periods on journal_lines.fiscal_period = periods.fiscal_period
left join dates on journal_lines.entry_date = dates.date_key
left join reversals on journal_lines.journal_id = reversals.reverses_journal_id
