-- one row: one basket
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}, indexes=[{'columns': ['business_date']}]) }}

with sales as (
    select * from {{ ref('fct_sales') }}
)

select
    basket_id,
    customer_key,
    store_key,
    sold_at,
    business_date,
    business_hour,
    cast(count(*) as integer) as lines_count,
    count(*) filter (where line_kind = 'sale') > 0 as is_sale,
    cast(sum(units_count) as {{ var('quantity_type') }}) as units_count,
    sum(gross_sales_amount) as gross_sales_amount,
    sum(loyalty_discount_amount) as loyalty_discount_amount,
    sum(coupon_match_amount) as coupon_match_amount,
    sum(net_sales_amount) as net_sales_amount,
    sum(manufacturer_coupon_amount) as manufacturer_coupon_amount,
    sum(customer_paid_amount) as customer_paid_amount
from sales
group by
    basket_id,
    customer_key,
    store_key,
    sold_at,
    business_date,
    business_hour
