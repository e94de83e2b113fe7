-- one row: one product in one basket
{{ config(materialized='incremental', unique_key='business_date', indexes=[{'columns': ['business_date']}]) }}

with transactions as (
    select * from {{ ref('stg_pos__transactions') }}
    where {{ is_touched(ref('stg_pos__transactions')) }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
)

select
    transactions.basket_id,
    coalesce(customers.customer_key, 0) as customer_key,
    coalesce(products.product_key, 0) as product_key,
    coalesce(stores.store_key, 0) as store_key,
    transactions.sold_at,
    transactions.business_date,
    transactions.product_id,
    transactions.quantity,
    case when products.is_merchandise then transactions.quantity else 0 end as units_count,
    transactions.business_hour,
    transactions.gross_sales_amount,
    transactions.loyalty_discount_amount,
    transactions.coupon_match_amount,
    transactions.net_sales_amount,
    transactions.manufacturer_coupon_amount,
    transactions.customer_paid_amount
from transactions
left join customers
    on
        transactions.customer_id = customers.customer_id
        and transactions.business_date >= customers.valid_from
        and transactions.business_date < customers.valid_to
left join products
    on
        transactions.product_id = products.product_id
        and transactions.business_date >= products.valid_from
        and transactions.business_date < products.valid_to
left join stores on transactions.store_id = stores.store_id
