-- one row: what one customer bought in one month, up to the as-of date
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with customer_days as (
    select * from {{ ref('int_customer_days_summed') }}
),

dated as (
    select
        customer_days.*,
        cast({{ dbt.date_trunc('month', 'business_date') }} as date) as month_start_date
    from customer_days
)

select
    month_start_date,
    customer_id,
    min(business_date) as first_basket_date,
    min(case when baskets_count > 0 then business_date end) as first_purchase_date,
    max(case when baskets_count > 0 then business_date end) as last_purchase_date,
    cast(sum(baskets_count) as integer) as baskets_count,
    cast(sum(coupon_baskets_count) as integer) as coupon_baskets_count,
    cast(sum(gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(discount_amount) as numeric(14, 2)) as discount_amount,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from dated
group by
    month_start_date,
    customer_id
