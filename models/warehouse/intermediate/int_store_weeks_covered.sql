-- one row: one store in one retail week for which the promotions feed names it
{{ config(partition_by={'field': 'week_start_date', 'granularity': 'week'}) }}

with observed_placements as (
    select * from {{ ref('int_placements_observed') }}
),

stores as (
    select * from {{ ref('dim_store') }}
)

select distinct
    observed_placements.week_start_date,
    coalesce(stores.store_key, 0) as store_key
from observed_placements
left join stores on observed_placements.store_id = stores.store_id
