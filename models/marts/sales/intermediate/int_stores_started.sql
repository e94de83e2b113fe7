-- one row: one store that ever sold
{{ config(partition_by={
    'field': 'first_month_start_date', 'granularity': 'month', 'reads_before': {'int_store_months_summed': 'all'}
}) }}

with store_months as (
    select * from {{ ref('int_store_months_summed') }}
)

select
    store_key,
    min(month_start_date) as first_month_start_date
from store_months
group by store_key
