-- one row: one coupon of one campaign that one customer redeemed on one day, once or more
{{ config(partition_by={'field': 'redemption_date', 'granularity': 'day'}) }}

with redemption_rows as (
    select * from {{ ref('stg_loyalty__coupon_redemptions') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

coupons as (
    select * from {{ ref('dim_coupon') }}
),

redemptions as (
    select
        coupon_id,
        campaign_id,
        customer_id,
        redemption_date,
        cast(count(*) as integer) as redemptions_count
    from redemption_rows
    group by
        coupon_id,
        campaign_id,
        customer_id,
        redemption_date
)

select
    redemptions.coupon_id,
    redemptions.campaign_id,
    redemptions.customer_id,
    coalesce(coupons.coupon_key, 0) as coupon_key,
    coalesce(campaigns.campaign_key, 0) as campaign_key,
    coalesce(customers.customer_key, 0) as customer_key,
    redemptions.redemption_date,
    redemptions.redemptions_count
from redemptions
left join coupons on redemptions.coupon_id = coupons.coupon_id
left join campaigns on redemptions.campaign_id = campaigns.campaign_id
left join customers
    on
        redemptions.customer_id = customers.customer_id
        and redemptions.redemption_date >= customers.valid_from
        and redemptions.redemption_date < customers.valid_to
