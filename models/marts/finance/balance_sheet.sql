-- one row: one line of the (simulated) balance sheet at the end of one fiscal period
with statement_lines as (
    select * from {{ ref('statement_lines') }}
),

line_accounts as (
    select * from {{ ref('int_statement_lines_expanded') }}
),

account_periods as (
    select * from {{ ref('int_account_periods_summed') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

balances as (
    select
        line_accounts.line_code,
        account_periods.fiscal_period,
        sum(line_accounts.sign * account_periods.opening_amount) as opening_amount,
        sum(line_accounts.sign * account_periods.closing_amount) as closing_amount,
        sum(line_accounts.sign * account_periods.late_entry_amount) as late_entry_amount
    from line_accounts
    inner join account_periods on line_accounts.account_key = account_periods.account_key
    where line_accounts.statement_name = 'balance_sheet'
    group by line_accounts.line_code, account_periods.fiscal_period
),

lines as (
    select
        periods.fiscal_period,
        periods.period_end_date,
        periods.period_status,
        statement_lines.line_code,
        statement_lines.line_order,
        statement_lines.line_name,
        statement_lines.line_kind,
        case when periods.is_posted then coalesce(balances.opening_amount, 0) end as opening_amount,
        case when periods.is_posted then coalesce(balances.closing_amount, 0) end as closing_amount,
        case when periods.is_posted then coalesce(balances.late_entry_amount, 0) end as late_entry_amount
    from statement_lines
    cross join periods
    left join balances
        on statement_lines.line_code = balances.line_code and periods.fiscal_period = balances.fiscal_period
    where statement_lines.statement_name = 'balance_sheet'
),

measured as (
    select
        lines.*,
        max(case when line_code = 'total_assets' then closing_amount end) over (partition by fiscal_period)
            as total_assets_amount
    from lines
)

select
    fiscal_period,
    line_code,
    line_order,
    line_name,
    line_kind,
    period_end_date,
    period_status,
    cast(opening_amount as numeric(16, 2)) as opening_amount,
    cast(closing_amount as numeric(16, 2)) as closing_amount,
    cast(closing_amount - opening_amount as numeric(16, 2)) as change_amount,
    cast(closing_amount / nullif(total_assets_amount, 0) as numeric(18, 6)) as total_assets_rate,
    cast(late_entry_amount as numeric(16, 2)) as late_entry_amount
from measured
