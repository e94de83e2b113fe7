-- one row: one product in one week in which it sold, in one placement or in the stores without any
{% call set_sql_header(config) %}{{ hash_to_join() }}{{ hash_to_group() }}{% endcall %}

with placement_sales as (
    select * from {{ ref('int_product_placements_sold') }}
),

placement_weeks as (
    select * from {{ ref('int_placement_weeks_observed') }}
),

priced as (
    select * from {{ ref('int_product_weeks_priced') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

placed as (
    select
        product_id,
        week_start_date,
        placement_key,
        sum(store_size_units) as size_units
    from placement_weeks
    group by
        product_id,
        week_start_date,
        placement_key
),

placed_weeks as (
    select
        product_id,
        week_start_date,
        sum(size_units) as size_units
    from placed
    group by
        product_id,
        week_start_date
),

-- what has a placement, and what is left of all stores without one
sized as (
    select
        product_id,
        week_start_date,
        placement_key,
        size_units
    from placed

    union all

    select
        priced.product_id,
        priced.week_start_date,
        0 as placement_key,
        priced.size_units - coalesce(placed_weeks.size_units, 0) as size_units
    from priced
    left join placed_weeks
        on
            priced.product_id = placed_weeks.product_id
            and priced.week_start_date = placed_weeks.week_start_date
),

-- neither on display nor in the mailer is no placement
sold as (
    select
        placement_sales.product_id,
        placement_sales.week_start_date,
        case when placements.is_on_display or placements.is_on_mailer then placement_sales.placement_key else 0 end
            as placement_key,
        sum(placement_sales.units_count) as units_count
    from placement_sales
    inner join placements on placement_sales.placement_key = placements.placement_key
    group by
        placement_sales.product_id,
        placement_sales.week_start_date,
        case when placements.is_on_display or placements.is_on_mailer then placement_sales.placement_key else 0 end
)

-- A store's own sale mustn't decide whether its week counts: where one store alone sold, it is left out of the
-- comparison at equal depth, whose depth nobody else would have told.
select
    sized.product_id,
    sized.week_start_date,
    sized.placement_key,
    priced.depth_step,
    cast(sized.size_units as numeric(18, 3)) as size_units,
    cast(coalesce(sold.units_count, 0) as numeric(16, 3)) as units_count,
    cast(
        sized.size_units - case when sold.units_count is not null then priced.only_store_size_units else 0 end
        as numeric(18, 3)
    ) as depth_size_units,
    cast(case when priced.stores_count > 1 then coalesce(sold.units_count, 0) else 0 end as numeric(16, 3))
        as depth_units_count
from sized
inner join priced on sized.product_id = priced.product_id and sized.week_start_date = priced.week_start_date
left join sold
    on
        sized.product_id = sold.product_id
        and sized.week_start_date = sold.week_start_date
        and sized.placement_key = sold.placement_key
where sized.size_units > 0
