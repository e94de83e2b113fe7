-- one row: one customer in one store on one business date; all sales without a customer are those of one
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with transactions as (
    select * from {{ ref('stg_pos__transactions') }}
),

lines as (
    select
        business_date,
        store_id,
        coalesce(customer_id, {{ no_customer_id() }}) as customer_id,
        net_sales_amount
    from transactions
)

select
    business_date,
    store_id,
    customer_id,
    cast(count(*) as integer) as lines_count,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from lines
group by
    business_date,
    store_id,
    customer_id
