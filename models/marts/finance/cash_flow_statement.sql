-- one row: one line of the (simulated) cash-flow statement, by the indirect method, in one fiscal period
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

flows as (
    select
        line_accounts.line_code,
        account_periods.fiscal_period,
        sum(
            line_accounts.sign * case line_accounts.line_kind
                when 'opening_balance' then account_periods.opening_amount
                when 'closing_balance' then account_periods.closing_amount
                else account_periods.movement_amount
            end
        ) as amount
    from line_accounts
    inner join account_periods on line_accounts.account_key = account_periods.account_key
    where line_accounts.statement_name = 'cash_flow_statement'
    group by line_accounts.line_code, account_periods.fiscal_period
),

lines as (
    select
        periods.fiscal_period,
        periods.fiscal_year,
        periods.is_posted,
        periods.period_status,
        statement_lines.line_code,
        statement_lines.line_order,
        statement_lines.line_name,
        statement_lines.line_kind,
        case when periods.is_posted then coalesce(flows.amount, 0) end as amount
    from statement_lines
    cross join periods
    left join flows
        on statement_lines.line_code = flows.line_code and periods.fiscal_period = flows.fiscal_period
    where statement_lines.statement_name = 'cash_flow_statement'
),

accumulated as (
    select
        lines.*,
        lag(amount) over (partition by line_code order by fiscal_period asc nulls last) as prior_period_amount,
        first_value(amount) over year_to_date as first_amount,
        sum(amount) over year_to_date as running_amount
    from lines
    window year_to_date as (
        partition by line_code, fiscal_year
        order by fiscal_period asc nulls last
        rows between unbounded preceding and current row
    )
)

select
    fiscal_period,
    line_code,
    line_order,
    line_name,
    line_kind,
    period_status,
    cast(amount as numeric(16, 2)) as cash_flow_amount,
    cast(prior_period_amount as numeric(16, 2)) as prior_period_amount,
    cast(
        case
            when not is_posted then null
            when line_kind = 'opening_balance' then first_amount
            when line_kind = 'closing_balance' then amount
            else running_amount
        end as numeric(16, 2)
    ) as year_to_date_amount
from accumulated
