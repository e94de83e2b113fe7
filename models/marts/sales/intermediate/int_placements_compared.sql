-- one row: one product in one store in one placement: its weeks with it, and its weeks without any
{% call set_sql_header(config) %}{{ hash_to_join() }}{% endcall %}

with placement_weeks as (
    select * from {{ ref('int_placement_weeks_observed') }}
),

product_stores as (
    select * from {{ ref('int_product_stores_sold') }}
),

weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

placed as (
    select
        product_id,
        store_key,
        placement_key,
        count(*) as weeks_count
    from placement_weeks
    group by
        product_id,
        store_key,
        placement_key
),

with_totals as (
    select
        placed.*,
        sum(weeks_count) over (partition by product_id, store_key) as all_weeks_count
    from placed
),

-- what sold in a placement is known from the sales, which carry it
sold as (
    select
        weekly_sales.product_id,
        weekly_sales.store_key,
        weekly_sales.placement_key,
        sum(weekly_sales.units_count) as units_count,
        sum(weekly_sales.gross_sales_amount) as gross_sales_amount,
        sum(weekly_sales.net_sales_amount) as net_sales_amount
    from weekly_sales
    inner join placements on weekly_sales.placement_key = placements.placement_key
    where placements.is_on_display or placements.is_on_mailer
    group by
        weekly_sales.product_id,
        weekly_sales.store_key,
        weekly_sales.placement_key
)

select
    with_totals.product_id,
    with_totals.store_key,
    with_totals.placement_key,
    cast(with_totals.weeks_count as integer) as with_weeks_count,
    cast(coalesce(sold.units_count, 0) as {{ var('quantity_type') }}) as with_units_count,
    cast(coalesce(sold.gross_sales_amount, 0) as numeric(14, 2)) as with_gross_amount,
    cast(coalesce(sold.net_sales_amount, 0) as numeric(14, 2)) as with_sales_amount,
    cast(product_stores.covered_weeks_count - with_totals.all_weeks_count as integer) as without_weeks_count,
    product_stores.without_units_count,
    product_stores.without_gross_amount,
    product_stores.without_sales_amount
from with_totals
inner join product_stores
    on
        with_totals.product_id = product_stores.product_id
        and with_totals.store_key = product_stores.store_key
left join sold
    on
        with_totals.product_id = sold.product_id
        and with_totals.store_key = sold.store_key
        and with_totals.placement_key = sold.placement_key
