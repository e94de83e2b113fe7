-- one row: one category in one placement: weeks of its products with it, against weeks of the same without any
with compared as (
    select * from {{ ref('int_placements_compared') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

-- what the weeks with the placement would have sold at the rate of the same product and store without any
expected as (
    select
        products.product_category,
        compared.placement_key,
        compared.with_weeks_count,
        compared.without_weeks_count,
        cast(compared.with_units_count as numeric) as with_units,
        compared.with_sales_amount as with_sales,
        cast(compared.with_weeks_count as numeric) * compared.without_units_count
        / nullif(compared.without_weeks_count, 0) as expected_units,
        compared.with_weeks_count * compared.without_sales_amount
        / nullif(compared.without_weeks_count, 0) as expected_sales
    from compared
    inner join products on compared.product_id = products.product_id and products.is_current
),

summed as (
    select
        product_category,
        placement_key,
        count(*) filter (where without_weeks_count = 0) as always_placed_count,
        count(*) filter (where without_weeks_count > 0) as product_stores_count,
        sum(with_weeks_count) filter (where without_weeks_count > 0) as with_weeks,
        sum(without_weeks_count) filter (where without_weeks_count > 0) as without_weeks,
        sum(with_units) filter (where without_weeks_count > 0) as with_units,
        sum(with_sales) filter (where without_weeks_count > 0) as with_sales,
        sum(expected_units) as expected_units,
        sum(expected_sales) as expected_sales,
        sum(with_units * with_units) filter (where without_weeks_count > 0) as squares_with,
        sum(with_units * expected_units) as products_both,
        sum(expected_units * expected_units) as squares_expected
    from expected
    group by
        product_category,
        placement_key
),

lifted as (
    select
        summed.*,
        with_units / nullif(expected_units, 0) as units_ratio,
        product_stores_count / nullif(product_stores_count - 1.0, 0) as small_sample_factor
    from summed
),

-- standard error of a ratio over product-stores, whose weeks are not independent
measured as (
    select
        lifted.*,
        sqrt(
            small_sample_factor * greatest(
                squares_with - 2 * units_ratio * products_both + units_ratio * units_ratio * squares_expected, 0
            )
        ) / nullif(expected_units, 0) as standard_error
    from lifted
)

select
    measured.product_category,
    placements.display_code,
    placements.mailer_code,
    placements.display_name,
    placements.mailer_name,
    cast(measured.product_stores_count as integer) as product_stores_count,
    cast(measured.always_placed_count as integer) as always_placed_count,
    cast(coalesce(measured.with_weeks, 0) as integer) as with_weeks_count,
    cast(coalesce(measured.without_weeks, 0) as integer) as without_weeks_count,
    cast(measured.with_units / measured.with_weeks as numeric(14, 6)) as with_weekly_units_count,
    cast(measured.expected_units / measured.with_weeks as numeric(14, 6)) as without_weekly_units_count,
    cast(measured.units_ratio - 1 as numeric(14, 6)) as units_lift_rate,
    cast(measured.units_ratio - 1 - 1.96 * measured.standard_error as numeric(14, 6)) as units_lift_lower_rate,
    cast(measured.units_ratio - 1 + 1.96 * measured.standard_error as numeric(14, 6)) as units_lift_upper_rate,
    cast(measured.with_sales / measured.with_weeks as numeric(14, 6)) as with_weekly_sales_amount,
    cast(measured.expected_sales / measured.with_weeks as numeric(14, 6)) as without_weekly_sales_amount,
    cast(measured.with_sales / nullif(measured.expected_sales, 0) - 1 as numeric(14, 6)) as net_sales_lift_rate,
    measured.product_stores_count < 30 as is_small_group
from measured
inner join placements on measured.placement_key = placements.placement_key
