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
        placement_weeks.product_id,
        placement_weeks.week_start_date,
        placement_weeks.placement_key,
        count(*) as store_weeks_count,
        sum(product_stores.store_size_units) as size_units
    from placement_weeks
    inner join product_stores
        on
            placement_weeks.product_id = product_stores.product_id
            and placement_weeks.store_key = product_stores.store_key
    group by
        placement_weeks.product_id,
        placement_weeks.week_start_date,
        placement_weeks.placement_key
),

all_placed as (
    select
        product_id,
        week_start_date,
        sum(size_units) as size_units
    from placed
    group by
        product_id,
        week_start_date
),

sold as (
    select
        weekly_sales.product_id,
        weekly_sales.week_start_date,
        case when placements.is_on_display or placements.is_on_mailer then weekly_sales.placement_key else 0 end
            as placement_key,
        sum(weekly_sales.units_count) as units_count,
        sum(product_stores.store_size_units) as size_units
    from weekly_sales
    inner join product_stores
        on weekly_sales.product_id = product_stores.product_id and weekly_sales.store_key = product_stores.store_key
    inner join placements on weekly_sales.placement_key = placements.placement_key
    where weekly_sales.placement_key <> 0
    group by
        weekly_sales.product_id,
        weekly_sales.week_start_date,
        case when placements.is_on_display or placements.is_on_mailer then weekly_sales.placement_key else 0 end
),

spread as (
    select
        priced.product_id,
        priced.week_start_date,
        placed.placement_key,
        placed.size_units
    from priced
    inner join placed
        on priced.product_id = placed.product_id and priced.week_start_date = placed.week_start_date

    union all

    select
        priced.product_id,
        priced.week_start_date,
        0 as placement_key,
        priced.size_units - coalesce(all_placed.size_units, 0) as size_units
    from priced
    left join all_placed
        on priced.product_id = all_placed.product_id and priced.week_start_date = all_placed.week_start_date
)

-- A store's own sale mustn't decide whether its week counts: where one store alone sold, it is left out of the
-- comparison at equal depth, whose depth nobody else would have told.
select
    spread.product_id,
    spread.week_start_date,
    spread.placement_key,
    priced.depth_step,
    cast(spread.size_units as numeric(18, 3)) as size_units,
    cast(coalesce(sold.units_count, 0) as numeric(16, 3)) as units_count,
    cast(
        spread.size_units - case when priced.stores_count > 1 then 0 else coalesce(sold.size_units, 0) end
        as numeric(18, 3)
    ) as depth_size_units,
    cast(case when priced.stores_count > 1 then coalesce(sold.units_count, 0) else 0 end as numeric(16, 3))
        as depth_units_count
from spread
inner join priced on spread.product_id = priced.product_id and spread.week_start_date = priced.week_start_date
left join sold
    on
        spread.product_id = sold.product_id
        and spread.week_start_date = sold.week_start_date
        and spread.placement_key = sold.placement_key
where spread.size_units > 0
