-- one row: one coupon redeemed by one household on one day
with source as (
    select * from {{ source('loyalty', 'coupon_redemptions') }}
)

select
    household_id as customer_id,
    coupon_upc as coupon_id,
    campaign_id,
    redemption_date,
    _file_id
from source
