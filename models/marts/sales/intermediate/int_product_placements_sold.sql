-- one row: one product in one whole retail week in one placement, all stores together that the promotions feed names
{{ config(
    partition_by={'field': 'week_start_date', 'granularity': 'week'},
    indexes=[{'columns': ['week_start_date']}]
) }}

with weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
)

select
    product_id,
    week_start_date,
    placement_key,
    cast(count(*) as integer) as stores_count,
    min(store_key) as first_store_key,
    cast(sum(units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from weekly_sales
where placement_key <> 0
group by
    product_id,
    week_start_date,
    placement_key
