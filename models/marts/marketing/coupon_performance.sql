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

sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
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

coupons as (
    select
        coupon_products.campaign_id,
        coupon_products.coupon_id,
        count(*) as products_count,
        coalesce(sum(products_sold.net_sales_amount), 0) as promoted_sales_amount
    from coupon_products
    left join products_sold
        on
            coupon_products.campaign_id = products_sold.campaign_id
            and coupon_products.product_id = products_sold.product_id
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

redemption_days as (
    select distinct
        customer_id,
        redemption_date
    from redemptions
),

-- what redeeming customers bought on the day: a few thousand rows, so the coupons' products are joined last
customer_days as (
    select
        customers.customer_id,
        sales.business_date,
        sales.product_id,
        sum(sales.net_sales_amount) as net_sales_amount,
        sum(sales.manufacturer_coupon_amount) as manufacturer_coupon_amount,
        sum(sales.coupon_match_amount) as coupon_match_amount
    from sales
    inner join customers on sales.customer_key = customers.customer_key
    inner join redemption_days
        on
            customers.customer_id = redemption_days.customer_id
            and sales.business_date = redemption_days.redemption_date
    group by
        customers.customer_id,
        sales.business_date,
        sales.product_id
),

redeemed_sales as (
    select
        redemptions.campaign_id,
        redemptions.coupon_id,
        sum(customer_days.net_sales_amount) as redeemed_sales_amount,
        sum(customer_days.manufacturer_coupon_amount) as manufacturer_coupon_amount,
        sum(customer_days.coupon_match_amount) as coupon_match_amount
    from redemptions
    inner join customer_days
        on
            redemptions.customer_id = customer_days.customer_id
            and redemptions.redemption_date = customer_days.business_date
    inner join coupon_products
        on
            redemptions.campaign_id = coupon_products.campaign_id
            and redemptions.coupon_id = coupon_products.coupon_id
            and customer_days.product_id = coupon_products.product_id
    group by
        redemptions.campaign_id,
        redemptions.coupon_id
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
    cast({{ rated[0] }} / nullif(cast({{ rated[1] }} as numeric), 0) as numeric(12, 8)) as redemption_rate,
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
