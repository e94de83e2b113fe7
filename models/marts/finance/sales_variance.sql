-- one row: net sales of one department in one fiscal period against one base: an earlier period, or a budget version
with compared as (
    select * from {{ ref('int_department_sales_compared') }}
),

till_days as (
    select * from {{ ref('int_department_days_summed') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

by_product as (
    select * from {{ ref('int_department_variances_summed') }}
),

till_periods as (
    select
        dates.fiscal_period,
        till_days.department,
        sum(till_days.units_count) as units_count,
        sum(till_days.net_sales_amount) as net_sales_amount
    from till_days
    inner join dates on till_days.business_date = dates.date_key
    group by
        dates.fiscal_period,
        till_days.department
),

joined as (
    select
        compared.comparison,
        compared.fiscal_period,
        compared.base_fiscal_period,
        compared.department,
        compared.period_status,
        compared.actual_net_sales_amount,
        compared.base_net_sales_amount,
        compared.actual_net_sales_amount - compared.base_net_sales_amount as variance_amount,
        coalesce(till_periods.units_count, 0) as units_count,
        coalesce(till_periods.net_sales_amount, 0) as till_amount,
        coalesce(compared.base_units_count, by_product.base_units_count) as base_units_count,
        by_product.price_effect_amount as price_effect,
        by_product.price_at_base_units_amount as price_at_base_units,
        by_product.mix_effect_amount as mix_effect,
        by_product.volume_effect_amount as volume_effect,
        by_product.split_units_count,
        by_product.split_base_units_count,
        by_product.split_base_net_sales_amount as split_base_amount,
        by_product.matched_net_sales_amount as matched_amount,
        -- a budget plans departments: a unit of one has one price
        compared.actual_net_sales_amount is not null
        and compared.base_units_count > 0
        and (till_periods.units_count > 0 or coalesce(till_periods.net_sales_amount, 0) = 0) as is_split_by_department
    from compared
    left join till_periods
        on
            compared.fiscal_period = till_periods.fiscal_period
            and compared.department = till_periods.department
    left join by_product
        on
            compared.comparison = by_product.comparison
            and compared.fiscal_period = by_product.fiscal_period
            and compared.department = by_product.department
),

split as (
    select
        joined.*,
        case when is_split_by_department then units_count else split_units_count end as own_units_count,
        case when is_split_by_department then base_units_count else split_base_units_count end as own_base_units_count,
        case when is_split_by_department then base_net_sales_amount else split_base_amount end as own_base_amount,
        case
            when is_split_by_department
                then round(base_net_sales_amount * (units_count - base_units_count) / base_units_count, 2)
            else volume_effect
        end as volume_effect_amount
    from joined
),

-- department mix: the department's volume less what it would be, had all departments' units grown alike
weighed as (
    select
        split.*,
        case
            when is_split_by_department then till_amount - base_net_sales_amount - volume_effect_amount
            else price_effect
        end as price_effect_amount,
        volume_effect_amount - own_base_amount
        * sum(own_units_count - own_base_units_count) over comparison_period
        / nullif(sum(own_base_units_count) over comparison_period, 0) as department_mix_amount
    from split
    window comparison_period as (partition by comparison, fiscal_period)
)

select
    comparison,
    fiscal_period,
    base_fiscal_period,
    department,
    period_status,
    cast(actual_net_sales_amount as numeric(16, 2)) as actual_net_sales_amount,
    cast(base_net_sales_amount as numeric(16, 2)) as base_net_sales_amount,
    cast(variance_amount as numeric(16, 2)) as variance_amount,
    case
        when variance_amount is null then 'not yet posted'
        when variance_amount = 0 then 'no difference'
        when variance_amount > 0 then 'favourable'
        else 'unfavourable'
    end as variance_effect,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(base_units_count as {{ var('quantity_type') }}) as base_units_count,
    case
        when variance_amount is null then 'not yet posted'
        when is_split_by_department then 'department'
        when price_effect is not null then 'product'
        else 'not split'
    end as split_by,
    cast(price_effect_amount as numeric(16, 2)) as price_effect_amount,
    cast(price_at_base_units as numeric(16, 2)) as price_at_base_units_amount,
    cast(mix_effect as numeric(16, 2)) as mix_effect_amount,
    cast(volume_effect_amount as numeric(16, 2)) as volume_effect_amount,
    cast(department_mix_amount as numeric(16, 2)) as department_mix_amount,
    cast(
        variance_amount - coalesce(price_effect_amount, 0) - coalesce(mix_effect, 0) - coalesce(volume_effect_amount, 0)
        as numeric(16, 2)
    ) as unsplit_amount,
    cast(case when comparison like 'prior %' then matched_amount / nullif(till_amount, 0) end as numeric(12, 8))
        as matched_sales_rate
from weighed
