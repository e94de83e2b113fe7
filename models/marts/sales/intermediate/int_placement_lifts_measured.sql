-- one row: one category in one placement, compared in one way: at equal depth of discount, or in the same week
{% call set_sql_header(config) %}{{ hash_to_join() }}{{ hash_to_group() }}{% endcall %}

with placed as (
    select * from {{ ref('int_product_weeks_placed') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

-- what compares: a product at one depth of discount over its weeks, or a product in one week over its stores
strata as (
    select
        'equal depth' as comparison,
        product_id,
        depth_step as stratum,
        placement_key,
        sum(depth_units_count) as units,
        sum(depth_size_units) as size_units
    from placed
    group by
        product_id,
        depth_step,
        placement_key

    union all

    select
        'same week' as comparison,
        product_id,
        {{ dbt.datediff("cast('2000-01-03' as date)", 'week_start_date', 'day') }} as stratum,
        placement_key,
        units_count as units,
        size_units
    from placed
),

-- Mantel and Haenszel: each stratum counts as much as it can tell
paired as (
    select
        with_strata.comparison,
        with_strata.placement_key,
        with_strata.product_id,
        with_strata.size_units as with_size,
        case when bare_strata.size_units > 0 then with_strata.size_units else 0 end as compared_size,
        with_strata.units * bare_strata.size_units / (with_strata.size_units + bare_strata.size_units) as with_units,
        bare_strata.units * with_strata.size_units / (with_strata.size_units + bare_strata.size_units) as without_units
    from strata as with_strata
    left join strata as bare_strata
        on
            with_strata.comparison = bare_strata.comparison
            and with_strata.product_id = bare_strata.product_id
            and with_strata.stratum = bare_strata.stratum
            and bare_strata.placement_key = 0
    where with_strata.placement_key <> 0 and with_strata.size_units > 0
),

by_product as (
    select
        paired.comparison,
        products.product_category,
        paired.placement_key,
        paired.product_id,
        sum(paired.with_size) as with_size,
        sum(paired.compared_size) as compared_size,
        cast(coalesce(sum(paired.with_units), 0) as {{ ratio_type() }}) as with_units,
        cast(coalesce(sum(paired.without_units), 0) as {{ ratio_type() }}) as without_units
    from paired
    inner join products on paired.product_id = products.product_id and products.is_current
    group by
        paired.comparison,
        products.product_category,
        paired.placement_key,
        paired.product_id
),

summed as (
    select
        comparison,
        product_category,
        placement_key,
        sum(with_size) as with_size,
        sum(compared_size) as compared_size,
        count(*) filter (where with_units + without_units > 0) as products_count,
        sum(with_units) as with_units,
        sum(without_units) as without_units,
        sum(with_units) / nullif(sum(without_units), 0) as units_ratio
    from by_product
    group by
        comparison,
        product_category,
        placement_key
),

-- Weeks and stores of a product are not independent: the error is over products, as if each had no part in the ratio.
-- Rounded, for what division loses would be a spread of products that are alike.
residuals as (
    select
        by_product.comparison,
        by_product.product_category,
        by_product.placement_key,
        round(
            (by_product.with_units - summed.units_ratio * by_product.without_units)
            / nullif(1 - by_product.without_units / summed.without_units, 0), 9
        ) as residual_units
    from by_product
    inner join summed
        on
            by_product.comparison = summed.comparison
            and by_product.product_category = summed.product_category
            and by_product.placement_key = summed.placement_key
    where summed.without_units > 0 and by_product.with_units + by_product.without_units > 0
),

spread as (
    select
        comparison,
        product_category,
        placement_key,
        sqrt(sum(residual_units * residual_units)) as standard_error,
        -- as many products of equal weight would leave as much to chance
        3 * power(sum(residual_units * residual_units), 2) / nullif(sum(power(residual_units, 4)), 0) as freedom
    from residuals
    group by
        comparison,
        product_category,
        placement_key
    having count(*) = count(residual_units)
)

-- on the scale of logarithms, with Student's quantile for the degrees of freedom: 1.96, and more where few decide
select
    summed.comparison,
    summed.product_category,
    summed.placement_key,
    cast(summed.products_count as integer) as products_count,
    cast(summed.compared_size / summed.with_size as numeric(12, 8)) as compared_rate,
    cast(summed.units_ratio as numeric(24, 12)) as units_ratio,
    cast(
        spread.standard_error / nullif(summed.with_units, 0)
        * (1 + 1.21 / spread.freedom + 1.44 / power(spread.freedom, 2)) as numeric(24, 12)
    ) as log_standard_error
from summed
left join spread
    on
        summed.comparison = spread.comparison
        and summed.product_category = spread.product_category
        and summed.placement_key = spread.placement_key
