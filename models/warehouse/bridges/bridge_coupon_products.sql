-- one row: one product that one coupon of one campaign applies to; pairs that were delivered more than once count once

with coupons as (
    select * from {{ ref('stg_loyalty__coupons') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

coupon_members as (
    select * from {{ ref('dim_coupon') }}
)

select distinct
    coalesce(coupon_members.coupon_key, 0) as coupon_key,
    coupons.coupon_id,
    coalesce(campaigns.campaign_key, 0) as campaign_key,
    coupons.campaign_id,
    coupons.product_id
from coupons
left join campaigns on coupons.campaign_id = campaigns.campaign_id
left join coupon_members on coupons.coupon_id = coupon_members.coupon_id
