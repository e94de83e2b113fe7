-- one row: one coupon of one campaign
{%- set rated = ['coalesce(redeemed.redeeming_customers_count, 0)', 'contacted.contacts_count'] %}
with coupon_products as (
    select * from {{ ref('bridge_coupon_products') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

redemptions as (
    select * from {{ ref('fct_coupon_redemptions') }}
),

redeemed_days as (
    select * from {{ ref('int_redeemed_products_sold') }}
),

products_sold as (
    select * from {{ ref('int_campaign_products_sold') }}
),

contacted as (
    select
        campaign_id,
        count(*) as contacts_count
    from contacts
    group by campaign_id
),

promoted as (
    select
        campaign_id,
        product_id,
        sum(net_sales_amount) as net_sales_amount
    from products_sold
    group by
        campaign_id,
        product_id
),

coupons as (
    select
        coupon_products.campaign_id,
        coupon_products.coupon_id,
        count(*) as products_count,
        coalesce(sum(promoted.net_sales_amount), 0) as promoted_sales_amount
    from coupon_products
    left join promoted
        on
            coupon_products.campaign_id = promoted.campaign_id
            and coupon_products.product_id = promoted.product_id
    group by
        coupon_products.campaign_id,
        coupon_products.coupon_id
),

redeemed as (
    select
        campaign_id,
        coupon_id,
        sum(redemptions_count) as redemptions_count,
        count(distinct customer_id) as redeeming_customers_count,
        min(redemption_date) as first_redemption_date,
        max(redemption_date) as last_redemption_date
    from redemptions
    group by
        campaign_id,
        coupon_id
),

redeemed_sales as (
    select
        campaign_id,
        coupon_id,
        sum(net_sales_amount) as redeemed_sales_amount,
        sum(manufacturer_coupon_amount) as manufacturer_coupon_amount,
        sum(coupon_match_amount) as coupon_match_amount
    from redeemed_days
    group by
        campaign_id,
        coupon_id
)

select
    coupons.campaign_id,
    coupons.coupon_id,
    campaigns.campaign_type,
    cast(coupons.products_count as integer) as products_count,
    cast(coalesce(contacted.contacts_count, 0) as integer) as contacts_count,
    cast(coalesce(redeemed.redemptions_count, 0) as integer) as redemptions_count,
    cast(coalesce(redeemed.redeeming_customers_count, 0) as integer) as redeeming_customers_count,
    redeemed.first_redemption_date,
    redeemed.last_redemption_date,
    cast({{ rated[0] }} / nullif(cast({{ rated[1] }} as {{ ratio_type() }}), 0) as numeric(12, 8)) as redemption_rate,
    cast({{ wilson_bound(rated[0], rated[1], '-') }} as numeric(12, 8)) as redemption_lower_rate,
    cast({{ wilson_bound(rated[0], rated[1], '+') }} as numeric(12, 8)) as redemption_upper_rate,
    cast(coalesce(redeemed_sales.redeemed_sales_amount, 0) as numeric(14, 2)) as redeemed_sales_amount,
    cast(coalesce(redeemed_sales.manufacturer_coupon_amount, 0) as numeric(14, 2)) as manufacturer_coupon_amount,
    cast(coalesce(redeemed_sales.coupon_match_amount, 0) as numeric(14, 2)) as coupon_match_amount,
    cast(coupons.promoted_sales_amount as numeric(14, 2)) as promoted_sales_amount,
    coalesce(contacted.contacts_count, 0) < 30 as is_small_group
from coupons
inner join campaigns on coupons.campaign_id = campaigns.campaign_id
left join contacted on coupons.campaign_id = contacted.campaign_id
left join redeemed
    on
        coupons.campaign_id = redeemed.campaign_id
        and coupons.coupon_id = redeemed.coupon_id
left join redeemed_sales
    on
        coupons.campaign_id = redeemed_sales.campaign_id
        and coupons.coupon_id = redeemed_sales.coupon_id
