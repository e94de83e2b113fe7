-- one row: one retail week that the data covers whole
{{ config(partition_by={'field': 'week_start_date', 'granularity': 'week'}) }}

with periods as (
    select * from {{ ref('int_periods_observed') }}
)

select period_start_date as week_start_date
from periods
where
    period_type = 'week'
    and not is_partial_period
