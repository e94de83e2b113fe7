-- one row: one product in one store and one whole retail week in which it was sold there
{{ config(
    partition_by={'field': 'week_start_date', 'granularity': 'week'},
    indexes=[{'columns': ['week_start_date']}]
) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

weeks as (
    select * from {{ ref('int_weeks_completed') }}
),

dated as (
    select
        sales.*,
        cast({{ dbt.date_trunc('week', 'business_date') }} as date) as week_start_date
    from sales
)

select
    dated.product_id,
    dated.store_key,
    dated.week_start_date,
    dated.placement_key,
    cast(sum(dated.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(dated.gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(dated.net_sales_amount) as numeric(14, 2)) as net_sales_amount
from dated
inner join weeks on dated.week_start_date = weeks.week_start_date
group by
    dated.product_id,
    dated.store_key,
    dated.week_start_date,
    dated.placement_key
