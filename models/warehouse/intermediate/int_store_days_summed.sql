-- one row: what one store sold on one business date
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with visits as (
    select * from {{ ref('int_visits_observed') }}
)

select
    business_date,
    store_id,
    cast(sum(net_sales_amount) as numeric(14, 2)) as net_sales_amount
from visits
group by
    business_date,
    store_id
