-- one row: one product that one coupon of one campaign applies to; pairs that were delivered more than once count once
with coupons as (
    select * from {{ ref('stg_loyalty__coupons') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
)

select distinct
    coupons.coupon_id,
    coalesce(campaigns.campaign_key, 0) as campaign_key,
    coupons.campaign_id,
    coupons.product_id
from coupons
left join campaigns on coupons.campaign_id = campaigns.campaign_id
