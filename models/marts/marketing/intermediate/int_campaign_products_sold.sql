-- one row: one product that one campaign promotes, with what its audience bought of it in the observed window
with sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

coupon_products as (
    select * from {{ ref('bridge_coupon_products') }}
),

promoted_products as (
    select distinct
        campaign_id,
        product_id
    from coupon_products
)

select
    promoted_products.campaign_id,
    promoted_products.product_id,
    cast(sum(sales.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(sales.coupon_match_amount) as numeric(14, 2)) as coupon_match_amount
from sales
inner join customers on sales.customer_key = customers.customer_key
inner join contacts on customers.customer_id = contacts.customer_id
inner join campaigns
    on
        contacts.campaign_id = campaigns.campaign_id
        and sales.business_date >= campaigns.observed_start_date
        and sales.business_date <= campaigns.observed_end_date
inner join promoted_products
    on
        contacts.campaign_id = promoted_products.campaign_id
        and sales.product_id = promoted_products.product_id
group by
    promoted_products.campaign_id,
    promoted_products.product_id
