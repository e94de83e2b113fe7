-- one row: one product in one week in which it sold, in one placement or in the stores without any
with weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

product_stores as (
    select * from {{ ref('int_product_stores_sold') }}
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

-- what has a placement, what is left of all stores without one, and what was sold in either: added up, not joined
listed as (
    select
        product_id,
        week_start_date,
        placement_key,
        size_units,
        0 as units_count,
        0 as sold_size_units
    from placed

    union all

    select
        product_id,
        week_start_date,
        0 as placement_key,
        -size_units as size_units,
        0 as units_count,
        0 as sold_size_units
    from placed

    union all

    select
        product_id,
        week_start_date,
        0 as placement_key,
        size_units,
        0 as units_count,
        0 as sold_size_units
    from priced

    union all

    select
        weekly_sales.product_id,
        weekly_sales.week_start_date,
        case when placements.is_on_display or placements.is_on_mailer then weekly_sales.placement_key else 0 end
            as placement_key,
        0 as size_units,
        weekly_sales.units_count,
        product_stores.store_size_units as sold_size_units
    from weekly_sales
    inner join product_stores
        on weekly_sales.product_id = product_stores.product_id and weekly_sales.store_key = product_stores.store_key
    inner join placements on weekly_sales.placement_key = placements.placement_key
    where weekly_sales.placement_key <> 0
),

summed as (
    select
        product_id,
        week_start_date,
        placement_key,
        sum(size_units) as size_units,
        sum(units_count) as units_count,
        sum(sold_size_units) as sold_size_units
    from listed
    group by
        product_id,
        week_start_date,
        placement_key
    having sum(size_units) > 0
)

-- A store's own sale mustn't decide whether its week counts: where one store alone sold, it is left out of the
-- comparison at equal depth, whose depth nobody else would have told.
select
    summed.product_id,
    summed.week_start_date,
    summed.placement_key,
    priced.depth_step,
    cast(summed.size_units as numeric(18, 3)) as size_units,
    cast(summed.units_count as numeric(16, 3)) as units_count,
    cast(
        summed.size_units - case when priced.stores_count > 1 then 0 else summed.sold_size_units end
        as numeric(18, 3)
    ) as depth_size_units,
    cast(case when priced.stores_count > 1 then summed.units_count else 0 end as numeric(16, 3)) as depth_units_count
from summed
inner join priced on summed.product_id = priced.product_id and summed.week_start_date = priced.week_start_date
