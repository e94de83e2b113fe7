-- one row: one product in one month in which it was sold
{{ config(
    partition_by={'field': 'month_start_date', 'granularity': 'month'},
    indexes=[{'columns': ['month_start_date']}]
) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    products.product_id,
    cast({{ dbt.date_trunc('month', 'sales.business_date') }} as date) as month_start_date,
    cast(sum(sales.gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(sales.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(sales.loyalty_discount_amount + sales.coupon_match_amount) as numeric(14, 2)) as discount_amount,
    cast(sum(sales.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(count(distinct sales.basket_id) filter (where sales.line_kind = 'sale') as integer) as baskets_count,
    cast(count(distinct customers.customer_id) filter (where {{ is_identified('customers.customer_key') }}) as integer)
        as customers_count
from sales
inner join products on sales.product_key = products.product_key
inner join customers on sales.customer_key = customers.customer_key
group by
    products.product_id,
    cast({{ dbt.date_trunc('month', 'sales.business_date') }} as date)
{{ in_order_of('month_start_date') }}
