-- one row: one coupon, by its universal product code; issued by a campaign or only seen redeemed
with coupons as (
    select * from {{ ref('stg_loyalty__coupons') }}
),

redemptions as (
    select * from {{ ref('stg_loyalty__coupon_redemptions') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

issued_coupons as (
    select
        coupons.coupon_id,
        count(distinct coupons.campaign_id) as campaigns_count,
        count(distinct coupons.product_id) as products_count,
        min(campaigns.start_date) as first_start_date,
        max(campaigns.end_date) as last_end_date
    from coupons
    left join campaigns on coupons.campaign_id = campaigns.campaign_id
    group by coupons.coupon_id
),

redeemed_coupons as (
    select distinct coupon_id from redemptions
),

members as (
    select
        coalesce(issued_coupons.coupon_id, redeemed_coupons.coupon_id) as coupon_id,
        coalesce(issued_coupons.campaigns_count, 0) as campaigns_count,
        coalesce(issued_coupons.products_count, 0) as products_count,
        issued_coupons.first_start_date,
        issued_coupons.last_end_date,
        issued_coupons.coupon_id is not null as is_issued
    from issued_coupons
    full outer join redeemed_coupons on issued_coupons.coupon_id = redeemed_coupons.coupon_id
)

select
    {{ surrogate_key(['coupon_id']) }} as coupon_key,
    coupon_id,
    cast(campaigns_count as integer) as campaigns_count,
    cast(products_count as integer) as products_count,
    first_start_date,
    last_end_date,
    is_issued
from members

union all

-- the unknown member
select
    0 as coupon_key,
    {{ unknown_id('coupon_id') }} as coupon_id,
    0 as campaigns_count,
    0 as products_count,
    null as first_start_date,
    null as last_end_date,
    false as is_issued
