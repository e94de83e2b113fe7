-- one row: one product that was ever sold
{{ config(partition_by={
    'field': 'first_month_start_date', 'granularity': 'month', 'reads_before': {'int_product_months_summed': 'all'}
}) }}

with product_months as (
    select * from {{ ref('int_product_months_summed') }}
)

select
    product_id,
    min(month_start_date) as first_month_start_date
from product_months
group by product_id
