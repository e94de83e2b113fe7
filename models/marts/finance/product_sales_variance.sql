-- one row: what the tills sold of one product in one department and fiscal period, against one earlier period
with sold as (
    select * from {{ ref('int_product_periods_sold') }}
),

comparisons as (
    select * from {{ ref('int_periods_compared') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

both_periods as (
    select
        comparisons.*,
        fiscal_period as sold_period
    from comparisons

    union all

    select
        comparisons.*,
        base_fiscal_period as sold_period
    from comparisons
),

paired as (
    select
        {%- for base in ['', 'base_'] %}
            sum(case sold.fiscal_period when both_periods.{{ base }}fiscal_period then sold.units_count else 0 end)
                as {{ base }}units_count,
            sum(case sold.fiscal_period when both_periods.{{ base }}fiscal_period then sold.net_sales_amount else 0 end)
                as {{ base }}net_sales_amount,
        {%- endfor %}
        both_periods.comparison,
        both_periods.fiscal_period,
        both_periods.base_fiscal_period,
        sold.department,
        sold.product_id
    from both_periods
    inner join sold on both_periods.sold_period = sold.fiscal_period
    group by
        both_periods.comparison,
        both_periods.fiscal_period,
        both_periods.base_fiscal_period,
        sold.department,
        sold.product_id
),

-- sales without units (coupons, fuel) and returns alone have no price
priced as (
    select
        paired.*,
        (units_count > 0 or (units_count = 0 and net_sales_amount = 0))
        and (base_units_count > 0 or (base_units_count = 0 and base_net_sales_amount = 0)) as is_priced
    from paired
),

totalled as (
    select
        priced.*,
        sum(case when is_priced then units_count else 0 end) over department_period as department_units_count,
        sum(case when is_priced then base_units_count else 0 end) over department_period
            as department_base_units_count
    from priced
    window department_period as (partition by comparison, fiscal_period, department)
),

-- exact, not yet in cents; multiplied before it is divided, so that what comes out even stays even
split as (
    select
        totalled.*,
        is_priced and department_base_units_count > 0 as is_split,
        case
            when not is_priced or department_base_units_count = 0 or units_count = 0 or base_units_count = 0 then 0
            else net_sales_amount - base_net_sales_amount * units_count / base_units_count
        end as price_effect,
        case
            when not is_priced or department_base_units_count = 0 or units_count = 0 or base_units_count = 0 then 0
            else net_sales_amount * base_units_count / units_count - base_net_sales_amount
        end as price_at_base_units,
        case
            when not is_priced or department_base_units_count = 0 then 0
            else
                base_net_sales_amount * (department_units_count - department_base_units_count)
                / department_base_units_count
        end as volume_effect
    from totalled
),

-- cents that add up to the department's: each product takes what its exact effect moves the rounded running sum by
running as (
    select
        split.*,
        sum(price_effect) over products_before as running_price_effect,
        sum(volume_effect) over products_before as running_volume_effect
    from split
    window products_before as (
        partition by comparison, fiscal_period, department
        order by product_id asc nulls last
        rows between unbounded preceding and current row
    )
),

rounded as (
    select
        {%- for effect in ['price', 'volume'] %}
            round(round(running_{{ effect }}_effect, 8), 2)
            - round(round(running_{{ effect }}_effect - {{ effect }}_effect, 8), 2) as {{ effect }}_effect_amount,
        {%- endfor %}
        running.*,
        net_sales_amount - base_net_sales_amount as variance_amount
    from running
)

select
    rounded.comparison,
    rounded.fiscal_period,
    rounded.base_fiscal_period,
    rounded.department,
    rounded.product_id,
    products.product_category,
    case
        when rounded.base_units_count = 0 and rounded.base_net_sales_amount = 0 then 'new'
        when rounded.units_count = 0 and rounded.net_sales_amount = 0 then 'gone'
        else 'in both'
    end as product_status,
    cast(rounded.units_count as {{ var('quantity_type') }}) as units_count,
    cast(rounded.base_units_count as {{ var('quantity_type') }}) as base_units_count,
    cast(rounded.net_sales_amount as numeric(16, 2)) as net_sales_amount,
    cast(rounded.base_net_sales_amount as numeric(16, 2)) as base_net_sales_amount,
    cast(rounded.variance_amount as numeric(16, 2)) as variance_amount,
    cast(rounded.net_sales_amount / nullif(rounded.units_count, 0) as numeric(16, 4)) as unit_price_amount,
    cast(rounded.base_net_sales_amount / nullif(rounded.base_units_count, 0) as numeric(16, 4))
        as base_unit_price_amount,
    cast(case when rounded.is_split then rounded.price_effect_amount end as numeric(16, 2)) as price_effect_amount,
    cast(case when rounded.is_split then round(rounded.price_at_base_units, 2) end as numeric(16, 2))
        as price_at_base_units_amount,
    cast(
        case
            when rounded.is_split
                then rounded.variance_amount - rounded.price_effect_amount - rounded.volume_effect_amount
        end as numeric(16, 2)
    ) as mix_effect_amount,
    cast(case when rounded.is_split then rounded.volume_effect_amount end as numeric(16, 2)) as volume_effect_amount,
    cast(case when not rounded.is_split then rounded.variance_amount end as numeric(16, 2)) as unsplit_amount
from rounded
inner join products on rounded.product_id = products.product_id and products.is_current
