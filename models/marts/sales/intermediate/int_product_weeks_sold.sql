-- one row: one product in one store and one whole retail week in which it was sold there

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
)

select
    sales.product_id,
    sales.store_key,
    dates.week_start_date,
    sales.placement_key,
    cast(sum(sales.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(sales.gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(sales.net_sales_amount) as numeric(14, 2)) as net_sales_amount
from sales
inner join products on sales.product_id = products.product_id
inner join dates on sales.business_date = dates.date_key
inner join periods
    on
        dates.week_start_date = periods.period_start_date
        and periods.period_type = 'week'
        and not periods.is_partial_period
where
    products.is_current
    and products.is_merchandise
    and products.product_category <> 'Unknown'
group by
    sales.product_id,
    sales.store_key,
    dates.week_start_date,
    sales.placement_key
