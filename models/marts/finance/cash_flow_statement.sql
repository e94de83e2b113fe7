-- one row: one line of the (simulated) cash-flow statement, by the indirect method, in one fiscal period
with statement_lines as (
    select * from {{ ref('int_statement_lines_summed') }}
),

lines as (
    select
        statement_lines.*,
        case line_kind
            when 'opening_balance' then opening_amount
            when 'closing_balance' then closing_amount
            else movement_amount
        end as amount
    from statement_lines
    where statement_name = 'cash_flow_statement'
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
