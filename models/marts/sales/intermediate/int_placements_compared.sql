-- one row: one product in one store in one placement: its weeks with it, and its weeks without any
with promotions as (
    select * from {{ ref('fct_promotions') }}
),

product_stores as (
    select * from {{ ref('int_product_stores_sold') }}
),

-- imported twice: what is read twice from one CTE is neither planned by its statistics nor read in parallel
product_stores_to_join as (
    select * from {{ ref('int_product_stores_sold') }}
),

weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

-- 20 million promotions become one row per product, store and placement before anything else is joined to them.
-- The life is a filter, not a join condition: as a condition it tempts the planner into an index scan per product.
placed as (
    select
        promotions.product_id,
        promotions.store_key,
        promotions.placement_key,
        count(*) filter (
            where promotions.week_start_date >= product_stores.first_week_start_date
            and promotions.week_start_date <= product_stores.last_week_start_date
        ) as weeks_count
    from promotions
    inner join product_stores
        on
            promotions.product_id = product_stores.product_id
            and promotions.store_key = product_stores.store_key
    group by
        promotions.product_id,
        promotions.store_key,
        promotions.placement_key
),

with_totals as (
    select
        placed.product_id,
        placed.store_key,
        placed.placement_key,
        placed.weeks_count,
        sum(placed.weeks_count) over (partition by placed.product_id, placed.store_key) as all_weeks_count
    from placed
    inner join placements on placed.placement_key = placements.placement_key
    where
        placed.weeks_count > 0
        and (placements.is_on_display or placements.is_on_mailer)
),

-- what sold in a placement is known from the sales, which carry it
sold as (
    select
        product_id,
        store_key,
        placement_key,
        sum(units_count) as units_count,
        sum(net_sales_amount) as net_sales_amount
    from weekly_sales
    group by
        product_id,
        store_key,
        placement_key
)

select
    with_totals.product_id,
    with_totals.store_key,
    with_totals.placement_key,
    cast(with_totals.weeks_count as integer) as with_weeks_count,
    cast(coalesce(sold.units_count, 0) as {{ var('quantity_type') }}) as with_units_count,
    cast(coalesce(sold.net_sales_amount, 0) as numeric(14, 2)) as with_sales_amount,
    cast(product_stores.covered_weeks_count - with_totals.all_weeks_count as integer) as without_weeks_count,
    product_stores.without_units_count,
    product_stores.without_sales_amount
from with_totals
inner join product_stores_to_join as product_stores
    on
        with_totals.product_id = product_stores.product_id
        and with_totals.store_key = product_stores.store_key
left join sold
    on
        with_totals.product_id = sold.product_id
        and with_totals.store_key = sold.store_key
        and with_totals.placement_key = sold.placement_key
