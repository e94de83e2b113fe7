-- one row: one delivered pair of coupon and product in a campaign; pairs may come more than once
with source as (
    select * from {{ source('loyalty', 'coupons') }}
)

select
    campaign_id,
    coupon_upc as coupon_id,
    product_id,
    _file_id
from source
