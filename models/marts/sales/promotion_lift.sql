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

lifts as (
    select * from {{ ref('int_placement_lifts_measured') }}
),

-- what the weeks with the placement would have sold at the rate of the same product and store without any
expected as (
    select
        products.product_category,
        compared.placement_key,
        compared.with_weeks_count,
        compared.without_weeks_count,
        cast(compared.with_units_count as {{ ratio_type() }}) as with_units,
        compared.with_gross_amount as with_gross,
        compared.with_sales_amount as with_sales,
        cast(compared.with_weeks_count as {{ ratio_type() }}) * compared.without_units_count
        / nullif(compared.without_weeks_count, 0) as expected_units,
        compared.with_weeks_count * compared.without_gross_amount
        / nullif(compared.without_weeks_count, 0) as expected_gross,
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
        sum(with_gross) filter (where without_weeks_count > 0) as with_gross,
        -- rounded, or what the quotients lost would decide how a tie is rounded
        round(sum(expected_units), 9) as expected_units,
        round(sum(expected_gross), 9) as expected_gross,
        round(sum(expected_sales), 9) as expected_sales
    from expected
    group by
        product_category,
        placement_key
),

-- an estimate needs 10 products, and something to compare with for half of what was placed
chosen as (
    select
        summed.*,
        same_week.units_ratio as same_week_ratio,
        same_week.log_standard_error as same_week_error,
        same_week.compared_rate as same_week_rate,
        equal_depth.units_ratio as equal_depth_ratio,
        equal_depth.log_standard_error as equal_depth_error,
        case
            when
                same_week.products_count >= 10 and same_week.compared_rate >= 0.5
                and same_week.log_standard_error is not null
                then 'same week'
            when equal_depth.products_count >= 10 and equal_depth.log_standard_error is not null then 'equal depth'
            else 'none'
        end as quoted_comparison
    from summed
    left join lifts as same_week
        on
            summed.product_category = same_week.product_category
            and summed.placement_key = same_week.placement_key
            and same_week.comparison = 'same week'
    left join lifts as equal_depth
        on
            summed.product_category = equal_depth.product_category
            and summed.placement_key = equal_depth.placement_key
            and equal_depth.comparison = 'equal depth'
),

quoted as (
    select
        chosen.*,
        case quoted_comparison when 'same week' then same_week_ratio when 'equal depth' then equal_depth_ratio end
            as quoted_ratio,
        case quoted_comparison when 'same week' then same_week_error when 'equal depth' then equal_depth_error end
            as quoted_error
    from chosen
)

select
    quoted.product_category,
    placements.display_code,
    placements.mailer_code,
    placements.display_name,
    placements.mailer_name,
    cast(quoted.product_stores_count as integer) as product_stores_count,
    cast(quoted.always_placed_count as integer) as always_placed_count,
    cast(coalesce(quoted.with_weeks, 0) as integer) as with_weeks_count,
    cast(coalesce(quoted.without_weeks, 0) as integer) as without_weeks_count,
    cast(quoted.with_units / quoted.with_weeks as numeric(14, 6)) as with_weekly_units_count,
    cast(quoted.expected_units / quoted.with_weeks as numeric(14, 6)) as without_weekly_units_count,
    cast(quoted.with_sales / quoted.with_weeks as numeric(14, 6)) as with_weekly_sales_amount,
    cast(quoted.expected_sales / quoted.with_weeks as numeric(14, 6)) as without_weekly_sales_amount,
    cast(1 - quoted.with_sales / nullif(quoted.with_gross, 0) as numeric(14, 6)) as with_discount_rate,
    cast(1 - quoted.expected_sales / nullif(quoted.expected_gross, 0) as numeric(14, 6)) as without_discount_rate,
    cast(quoted.with_units / nullif(quoted.expected_units, 0) - 1 as numeric(14, 6)) as plain_units_lift_rate,
    cast(quoted.with_sales / nullif(quoted.expected_sales, 0) - 1 as numeric(14, 6)) as plain_net_sales_lift_rate,
    cast(quoted.equal_depth_ratio - 1 as numeric(14, 6)) as equal_depth_lift_rate,
    cast(quoted.same_week_ratio - 1 as numeric(14, 6)) as same_week_lift_rate,
    cast(coalesce(quoted.same_week_rate, 0) as numeric(12, 8)) as same_week_compared_rate,
    quoted.quoted_comparison,
    cast(quoted.quoted_ratio - 1 as numeric(14, 6)) as units_lift_rate,
    cast(quoted.quoted_ratio * exp(-1.96 * quoted.quoted_error) - 1 as numeric(14, 6)) as units_lift_lower_rate,
    cast(quoted.quoted_ratio * exp(1.96 * quoted.quoted_error) - 1 as numeric(14, 6)) as units_lift_upper_rate,
    case quoted.quoted_comparison
        when 'same week' then 'against other stores in the same week: season and price are the same'
        when 'equal depth' then 'nearly all stores have it at once: the season can''t be told apart'
        else 'too little compares'
    end as caution
from quoted
inner join placements on quoted.placement_key = placements.placement_key
