-- one row: one business date, store and department with sales
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}, indexes=[{'columns': ['business_date']}]) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

summed as (
    select
        sales.business_date,
        stores.store_id,
        products.department,
        sum(sales.gross_sales_amount) as gross_sales_amount,
        sum(sales.loyalty_discount_amount) as loyalty_discount_amount,
        sum(sales.coupon_match_amount) as coupon_match_amount,
        sum(sales.net_sales_amount) as net_sales_amount,
        sum(sales.manufacturer_coupon_amount) as manufacturer_coupon_amount,
        sum(sales.customer_paid_amount) as customer_paid_amount,
        sum(sales.units_count) as units_count,
        count(distinct sales.basket_id) filter (where sales.line_kind = 'sale') as baskets_count,
        count(distinct sales.customer_key) filter (where {{ is_identified('sales.customer_key') }}) as customers_count
    from sales
    inner join products on sales.product_key = products.product_key
    inner join stores on sales.store_key = stores.store_key
    group by
        sales.business_date,
        stores.store_id,
        products.department
)

select
    business_date,
    store_id,
    department,
    cast(gross_sales_amount as numeric(14, 2)) as gross_sales_amount,
    cast(loyalty_discount_amount as numeric(14, 2)) as loyalty_discount_amount,
    cast(coupon_match_amount as numeric(14, 2)) as coupon_match_amount,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(manufacturer_coupon_amount as numeric(14, 2)) as manufacturer_coupon_amount,
    cast(customer_paid_amount as numeric(14, 2)) as customer_paid_amount,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(baskets_count as integer) as baskets_count,
    cast(customers_count as integer) as customers_count,
    cast(net_sales_amount / nullif(baskets_count, 0) as numeric(14, 6)) as average_basket_amount,
    cast(
        (loyalty_discount_amount + coupon_match_amount) / nullif(gross_sales_amount, 0) as numeric(12, 8)
    ) as discount_rate
from summed
