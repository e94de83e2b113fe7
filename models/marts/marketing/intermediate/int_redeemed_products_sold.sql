-- one row: one coupon of one campaign and a day on which it was redeemed: what its redeemers bought of its products
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

redemptions as (
    select * from {{ ref('fct_coupon_redemptions') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

coupon_products as (
    select * from {{ ref('bridge_coupon_products') }}
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

bought as (
    select
        customer_days.business_date,
        redemptions.campaign_id,
        redemptions.coupon_id,
        customer_days.product_id,
        sum(customer_days.net_sales_amount) as net_sales_amount,
        sum(customer_days.manufacturer_coupon_amount) as manufacturer_coupon_amount,
        sum(customer_days.coupon_match_amount) as coupon_match_amount
    from redemptions
    inner join customer_days
        on
            redemptions.customer_id = customer_days.customer_id
            and redemptions.redemption_date = customer_days.business_date
    group by
        customer_days.business_date,
        redemptions.campaign_id,
        redemptions.coupon_id,
        customer_days.product_id
)

select
    bought.business_date,
    bought.campaign_id,
    bought.coupon_id,
    cast(sum(bought.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(bought.manufacturer_coupon_amount) as numeric(14, 2)) as manufacturer_coupon_amount,
    cast(sum(bought.coupon_match_amount) as numeric(14, 2)) as coupon_match_amount
from bought
inner join coupon_products
    on
        bought.campaign_id = coupon_products.campaign_id
        and bought.coupon_id = coupon_products.coupon_id
        and bought.product_id = coupon_products.product_id
group by
    bought.business_date,
    bought.campaign_id,
    bought.coupon_id
