-- one row: one combination of display and mailer that one store used in one retail week
{{ config(materialized='incremental', unique_key='week_start_date') }}

with promotions as (
    select * from {{ ref('stg_pos__promotions') }}
    where {{ is_touched(ref('stg_pos__promotions')) }}
)

-- grouped by the week's number, which raw has: its Monday is computed for each group, not for each row
select
    {{ retail_week_start_date('week_number') }} as week_start_date,
    store_id,
    display_code,
    mailer_code,
    cast(count(*) as integer) as delivered_rows_count
from promotions
group by
    week_number,
    store_id,
    display_code,
    mailer_code
