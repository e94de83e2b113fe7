-- Every coupon that is redeemed or issued is a member of dim_coupon, under its own number: the dimension is made from
-- these very rows, so none of them is unknown.
with redemptions as (
    select * from {{ ref('fct_coupon_redemptions') }}
),

coupon_products as (
    select * from {{ ref('bridge_coupon_products') }}
),

coupons as (
    select * from {{ ref('dim_coupon') }}
),

used_coupons as (
    select
        'fct_coupon_redemptions' as model_name,
        coupon_id,
        coupon_key
    from redemptions
    union distinct
    select
        'bridge_coupon_products' as model_name,
        coupon_id,
        coupon_key
    from coupon_products
)

select
    used_coupons.model_name,
    used_coupons.coupon_id,
    used_coupons.coupon_key,
    coupons.coupon_id as member_id
from used_coupons
left join coupons on used_coupons.coupon_key = coupons.coupon_key and coupons.coupon_key <> 0
where used_coupons.coupon_id is distinct from coupons.coupon_id
