-- one row: one product in one basket
with source as (
    select * from {{ source('pos', 'transactions') }}
)

select
    basket_id,
    product_id,
    cast(1 as smallint) as line_number,
    'sale' as line_kind,
    household_id as customer_id,
    store_id,
    transaction_timestamp as sold_at,
    cast({{ business_time('transaction_timestamp') }} as date) as business_date,
    cast(extract(hour from {{ business_time('transaction_timestamp') }}) as smallint) as business_hour,
    week as source_week_number,
    quantity,
    sales_value + retail_disc + coupon_match_disc as gross_sales_amount,
    retail_disc as loyalty_discount_amount,
    coupon_match_disc as coupon_match_amount,
    sales_value as net_sales_amount,
    coupon_disc as manufacturer_coupon_amount,
    sales_value - coupon_disc as customer_paid_amount,
    _file_id
from source
