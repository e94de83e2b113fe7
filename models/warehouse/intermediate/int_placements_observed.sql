-- one row: one combination of display and mailer that one store used in one retail week
{{ config(partition_by={'field': 'week_start_date', 'granularity': 'week'}) }}

with promotions as (
    select * from {{ ref('stg_pos__promotions') }}
)

select
    week_start_date,
    store_id,
    display_code,
    mailer_code,
    cast(count(*) as integer) as delivered_rows_count
from promotions
group by
    week_start_date,
    store_id,
    display_code,
    mailer_code
