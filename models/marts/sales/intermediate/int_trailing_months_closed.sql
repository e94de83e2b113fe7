-- one row: one calendar month that has begun, with the eleven before it: those are closed, and added up once
with months as (
    select * from {{ ref('int_months_begun') }}
)

select
    month_start_date,
    cast({{ dbt.dateadd('month', -11, 'month_start_date') }} as date) as first_month_start_date,
    cast({{ dbt.dateadd('month', -1, 'month_start_date') }} as date) as last_month_start_date
from months
