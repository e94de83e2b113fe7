-- one row: one line of the (simulated) income statement in one fiscal period
with statement_lines as (
    select * from {{ ref('int_statement_lines_summed') }}
),

line_accounts as (
    select * from {{ ref('int_statement_lines_expanded') }}
),

budgets as (
    select * from {{ ref('fct_budgets') }}
),

line_budgets as (
    select
        line_accounts.line_code,
        budgets.fiscal_period,
        sum(line_accounts.sign * budgets.net_debit_amount) as budget_amount
    from line_accounts
    inner join budgets on line_accounts.account_key = budgets.account_key
    where line_accounts.statement_name = 'income_statement' and budgets.is_in_force
    group by line_accounts.line_code, budgets.fiscal_period
),

budgeted_periods as (
    select
        fiscal_period,
        max(budget_version) as budget_version
    from budgets
    where is_in_force
    group by fiscal_period
),

lines as (
    select
        statement_lines.*,
        statement_lines.movement_amount as actual_amount,
        budgeted_periods.budget_version,
        case when budgeted_periods.budget_version is not null then coalesce(line_budgets.budget_amount, 0) end
            as budget_amount
    from statement_lines
    left join line_budgets
        on
            statement_lines.line_code = line_budgets.line_code
            and statement_lines.fiscal_period = line_budgets.fiscal_period
    left join budgeted_periods on statement_lines.fiscal_period = budgeted_periods.fiscal_period
    where statement_lines.statement_name = 'income_statement'
),

compared as (
    select
        lines.*,
        actual_amount - budget_amount as variance_amount,
        lag(actual_amount) over (partition by line_code order by fiscal_period asc nulls last) as prior_period_amount,
        max(case when line_code = 'net_sales' then actual_amount end) over (partition by fiscal_period)
            as net_sales_amount,
        max(case when line_code = 'net_sales' then abs(budget_amount) end) over (partition by fiscal_period)
            as budget_net_sales_amount,
        sum(actual_amount) over (
            partition by line_code, fiscal_year
            order by fiscal_period asc nulls last
            rows between unbounded preceding and current row
        ) as running_actual_amount,
        sum(budget_amount) over (
            partition by line_code, fiscal_year
            order by fiscal_period asc nulls last
            rows between unbounded preceding and current row
        ) as running_budget_amount
    from lines
)

select
    fiscal_period,
    line_code,
    line_order,
    line_name,
    line_kind,
    period_status,
    budget_version,
    cast(actual_amount as numeric(16, 2)) as actual_amount,
    cast(budget_amount as numeric(16, 2)) as budget_amount,
    cast(variance_amount as numeric(16, 2)) as variance_amount,
    cast(
        case
            when
                abs(budget_amount) >= {{ var('variance_rate_floor_amount') }}
                and (line_kind <> 'subtotal' or abs(budget_amount) >= 0.01 * budget_net_sales_amount)
                then variance_amount / nullif(abs(budget_amount), 0)
        end as numeric(18, 6)
    ) as variance_rate,
    case
        when actual_amount is null then 'not yet posted'
        when budget_amount is null then 'no budget'
        when variance_amount = 0 then 'on budget'
        when -sign * variance_amount > 0 then 'favourable'
        else 'unfavourable'
    end as variance_effect,
    cast(prior_period_amount as numeric(16, 2)) as prior_period_amount,
    cast(actual_amount - prior_period_amount as numeric(16, 2)) as prior_period_change_amount,
    cast(case when actual_amount is not null then running_actual_amount end as numeric(16, 2)) as year_to_date_amount,
    cast(running_budget_amount as numeric(16, 2)) as year_to_date_budget_amount,
    cast(case when actual_amount is not null then running_actual_amount - running_budget_amount end as numeric(16, 2))
        as year_to_date_variance_amount,
    cast(actual_amount / nullif(net_sales_amount, 0) as numeric(18, 6)) as net_sales_rate,
    cast(late_entry_amount as numeric(16, 2)) as late_entry_amount,
    cast(late_arrival_amount as numeric(16, 2)) as late_arrival_amount
from compared
