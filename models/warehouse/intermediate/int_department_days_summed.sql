-- one row: what the tills sold in one department on one business date
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    sales.business_date,
    products.department,
    cast(sum(sales.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(sales.gross_sales_amount) as numeric(16, 2)) as gross_sales_amount,
    cast(sum(sales.loyalty_discount_amount) as numeric(16, 2)) as loyalty_discount_amount,
    cast(sum(sales.coupon_match_amount) as numeric(16, 2)) as coupon_match_amount,
    cast(sum(sales.net_sales_amount) as numeric(16, 2)) as net_sales_amount,
    cast(sum(sales.manufacturer_coupon_amount) as numeric(16, 2)) as manufacturer_coupon_amount,
    cast(sum(sales.customer_paid_amount) as numeric(16, 2)) as customer_paid_amount
from sales
inner join products on sales.product_key = products.product_key
group by sales.business_date, products.department
