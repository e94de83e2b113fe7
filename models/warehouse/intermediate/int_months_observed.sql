-- one row: one month that the data covers, in whole or in part, with what comes before its end
with periods as (
    select * from {{ ref('int_periods_observed') }}
)

select
    period_start_date as month_start_date,
    observed_end_date,
    {{ add_days('observed_end_date', '-364') }} as year_start_date,
    cast({{ dbt.dateadd('month', -1, 'period_start_date') }} as date) as previous_month_start_date
from periods
where period_type = 'month'
