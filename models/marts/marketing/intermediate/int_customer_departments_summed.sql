-- one row: what one customer bought in one department in one month, up to the as-of date
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

dated as (
    select
        cast({{ dbt.date_trunc('month', 'sales.business_date') }} as date) as month_start_date,
        customers.customer_id,
        products.department,
        products.brand,
        products.is_merchandise,
        sales.net_sales_amount
    from sales
    inner join customers on sales.customer_key = customers.customer_key
    inner join products on sales.product_key = products.product_key
    where
        {{ is_identified('sales.customer_key') }}
        and sales.business_date <= {{ date_or('as_of_date', "'9999-12-31'") }}
)

select
    month_start_date,
    customer_id,
    department,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(coalesce(sum(net_sales_amount) filter (where is_merchandise), 0) as numeric(14, 2))
        as merchandise_sales_amount,
    cast(coalesce(sum(net_sales_amount) filter (where is_merchandise and brand = 'Private'), 0) as numeric(14, 2))
        as private_sales_amount,
    cast(count(*) filter (where is_merchandise and brand <> 'Unknown') as integer) as branded_lines_count
from dated
group by
    month_start_date,
    customer_id,
    department
{{ in_order_of('month_start_date') }}
