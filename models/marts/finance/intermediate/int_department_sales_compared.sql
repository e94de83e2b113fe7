-- one row: posted net sales of one department in one fiscal period, beside what one base says
with budget_lines as (
    select * from {{ ref('budget_vs_actual') }}
),

budgets as (
    select * from {{ ref('fct_budgets') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

comparisons as (
    select * from {{ ref('int_periods_compared') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

posted as (
    select
        journal_lines.department,
        journal_lines.fiscal_period,
        sum(-journal_lines.net_debit_amount) as net_sales_amount
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    where accounts.account_type in ('revenue', 'contra_revenue')
    group by
        journal_lines.department,
        journal_lines.fiscal_period
),

departments as (
    select distinct department from posted
),

budgeted_units as (
    select
        budget_version,
        department,
        fiscal_period,
        sum(budget_units_count) as units_count
    from budgets
    group by
        budget_version,
        department,
        fiscal_period
),

-- every department in every comparison, as budget_vs_actual has it
compared as (
    select
        comparisons.comparison,
        comparisons.fiscal_period,
        comparisons.base_fiscal_period,
        departments.department,
        coalesce(actuals.net_sales_amount, 0) as actual_net_sales_amount,
        coalesce(bases.net_sales_amount, 0) as base_net_sales_amount,
        null as base_units_count
    from comparisons
    cross join departments
    left join posted as actuals
        on
            comparisons.fiscal_period = actuals.fiscal_period
            and departments.department = actuals.department
    left join posted as bases
        on
            comparisons.base_fiscal_period = bases.fiscal_period
            and departments.department = bases.department

    union all

    select
        'budget ' || budget_lines.budget_version as comparison,
        budget_lines.fiscal_period,
        budget_lines.fiscal_period as base_fiscal_period,
        budget_lines.department,
        sum(case budget_lines.account_type when 'revenue' then 1 else -1 end * budget_lines.actual_amount)
            as actual_net_sales_amount,
        sum(case budget_lines.account_type when 'revenue' then 1 else -1 end * budget_lines.budget_amount)
            as base_net_sales_amount,
        max(budgeted_units.units_count) as base_units_count
    from budget_lines
    left join budgeted_units
        on
            budget_lines.budget_version = budgeted_units.budget_version
            and budget_lines.department = budgeted_units.department
            and budget_lines.fiscal_period = budgeted_units.fiscal_period
    where budget_lines.account_type in ('revenue', 'contra_revenue')
    group by
        budget_lines.budget_version,
        budget_lines.fiscal_period,
        budget_lines.department
)

select
    compared.comparison,
    compared.fiscal_period,
    compared.base_fiscal_period,
    compared.department,
    periods.period_status,
    cast(compared.actual_net_sales_amount as numeric(16, 2)) as actual_net_sales_amount,
    cast(compared.base_net_sales_amount as numeric(16, 2)) as base_net_sales_amount,
    cast(compared.base_units_count as {{ var('quantity_type') }}) as base_units_count
from compared
inner join periods on compared.fiscal_period = periods.fiscal_period
