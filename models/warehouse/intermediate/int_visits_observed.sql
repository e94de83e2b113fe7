-- one row: one customer in one store on one business date
{{ config(materialized='incremental', unique_key='business_date') }}

with transactions as (
    select * from {{ ref('stg_pos__transactions') }}
    where {{ is_touched(ref('stg_pos__transactions')) }}
)

select
    business_date,
    store_id,
    customer_id,
    cast(count(*) as integer) as lines_count,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from transactions
group by
    business_date,
    store_id,
    customer_id
