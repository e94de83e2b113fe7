-- one row: what the audience of one campaign bought of the promoted products in the observed window, and its cost
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

costed_days as (
    select * from {{ ref('int_department_days_costed') }}
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
    campaigns.campaign_id,
    campaigns.observed_start_date,
    campaigns.observed_end_date,
    cast(sum(sales.net_sales_amount) as numeric(16, 2)) as net_sales_amount,
    cast(sum(case when costed_days.cost_rate is not null then sales.net_sales_amount else 0 end) as numeric(16, 2))
        as costed_net_sales_amount,
    cast(sum(sales.net_sales_amount * costed_days.cost_rate) as numeric(16, 6)) as cost_of_goods_amount
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
inner join products on sales.product_key = products.product_key
left join costed_days
    on
        sales.business_date = costed_days.business_date
        and products.department = costed_days.department
group by
    campaigns.campaign_id,
    campaigns.observed_start_date,
    campaigns.observed_end_date
