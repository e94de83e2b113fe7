-- one row: net sales of one department against one budget version in one fiscal period, split into price and volume
with budget_lines as (
    select * from {{ ref('budget_vs_actual') }}
),

till_days as (
    select * from {{ ref('int_department_days_summed') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

net_sales as (
    select
        budget_version,
        fiscal_period,
        department,
        period_status,
        sum(case account_type when 'revenue' then budget_amount else -budget_amount end) as budget_net_sales_amount,
        sum(case account_type when 'revenue' then actual_amount else -actual_amount end) as actual_net_sales_amount
    from budget_lines
    where account_type in ('revenue', 'contra_revenue')
    group by budget_version, fiscal_period, department, period_status
),

units as (
    select
        dates.fiscal_period,
        till_days.department,
        sum(till_days.units_count) as units_count
    from till_days
    inner join dates on till_days.business_date = dates.date_key
    group by dates.fiscal_period, till_days.department
),

priced as (
    select
        net_sales.*,
        coalesce(units.units_count, 0) as units_count,
        net_sales.actual_net_sales_amount / nullif(units.units_count, 0) as unit_price_amount
    from net_sales
    left join units on net_sales.fiscal_period = units.fiscal_period and net_sales.department = units.department
),

compared as (
    select
        priced.*,
        actual_net_sales_amount - budget_net_sales_amount as variance_amount,
        lag(unit_price_amount) over (
            partition by budget_version, department order by fiscal_period asc nulls last
        ) as prior_unit_price_amount
    from priced
),

split as (
    select
        compared.*,
        cast(round((unit_price_amount - prior_unit_price_amount) * units_count, 2) as numeric(16, 2))
            as price_effect_amount
    from compared
)

select
    budget_version,
    fiscal_period,
    department,
    period_status,
    cast(budget_net_sales_amount as numeric(16, 2)) as budget_net_sales_amount,
    cast(actual_net_sales_amount as numeric(16, 2)) as actual_net_sales_amount,
    cast(variance_amount as numeric(16, 2)) as variance_amount,
    case
        when variance_amount is null then 'not yet posted'
        when variance_amount = 0 then 'on budget'
        when variance_amount > 0 then 'favourable'
        else 'unfavourable'
    end as variance_effect,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(unit_price_amount as numeric(16, 4)) as unit_price_amount,
    cast(prior_unit_price_amount as numeric(16, 4)) as prior_unit_price_amount,
    price_effect_amount,
    cast(case when price_effect_amount is not null then variance_amount - price_effect_amount end as numeric(16, 2))
        as volume_effect_amount,
    cast(case when price_effect_amount is null then variance_amount end as numeric(16, 2)) as unsplit_amount
from split
