-- one row: one product that one campaign promotes, and what its audience bought of it in one month of its window
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}
{% call set_sql_header(config) %}{{ hash_to_join() }}{% endcall %}

with sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

costed_days as (
    select * from {{ area_ref('ledger', 'int_department_days_costed', {
        'business_date': 'date', 'department': 'text', 'cost_rate': 'numeric'
    }) }}
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
    select
        coupon_products.campaign_id,
        coupon_products.product_id,
        max(campaigns.start_date) as start_date,
        max(campaigns.end_date) as end_date
    from coupon_products
    inner join campaigns on coupon_products.campaign_id = campaigns.campaign_id
    group by
        coupon_products.campaign_id,
        coupon_products.product_id
),

audience_sales as (
    select
        promoted_products.campaign_id,
        promoted_products.product_id,
        cast({{ dbt.date_trunc('month', 'sales.business_date') }} as date) as month_start_date,
        sales.business_date,
        sales.product_key,
        sales.net_sales_amount,
        sales.coupon_match_amount
    from sales
    inner join customers on sales.customer_key = customers.customer_key
    inner join promoted_products
        on
            sales.product_id = promoted_products.product_id
            and sales.business_date >= promoted_products.start_date
            and sales.business_date <= promoted_products.end_date
    inner join contacts
        on
            promoted_products.campaign_id = contacts.campaign_id
            and customers.customer_id = contacts.customer_id
    where sales.business_date <= {{ date_or('as_of_date', "'9999-12-31'") }}
)

-- cost keeps all its places: a sum is rounded once
select
    audience_sales.month_start_date,
    audience_sales.campaign_id,
    audience_sales.product_id,
    cast(sum(audience_sales.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(audience_sales.coupon_match_amount) as numeric(14, 2)) as coupon_match_amount,
    {{ area_value(
        'ledger',
        'sum(case when costed_days.cost_rate is not null then audience_sales.net_sales_amount else 0 end)',
        'numeric(14, 2)'
    ) }} as costed_net_sales_amount,
    {{ area_value(
        'ledger', 'sum(audience_sales.net_sales_amount * costed_days.cost_rate)', 'numeric(36, 18)'
    ) }} as cost_of_goods_amount
from audience_sales
inner join products on audience_sales.product_key = products.product_key
left join costed_days
    on
        audience_sales.business_date = costed_days.business_date
        and products.department = costed_days.department
group by
    audience_sales.month_start_date,
    audience_sales.campaign_id,
    audience_sales.product_id
