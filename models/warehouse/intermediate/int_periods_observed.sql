-- one row: one week or month that the data covers, in whole or in part
with dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

observed_days as (
    select
        dates.date_key,
        dates.week_start_date,
        dates.month_start_date
    from dates
    inner join sales_window
        on
            dates.date_key >= sales_window.first_business_date
            and dates.date_key <= sales_window.as_of_date
),

period_days as (
    select
        'week' as period_type,
        week_start_date as period_start_date,
        cast({{ dbt.dateadd('day', 6, 'week_start_date') }} as date) as period_end_date,
        cast(extract(week from week_start_date) as integer) as year_position,
        date_key
    from observed_days

    union all

    select
        'month' as period_type,
        month_start_date as period_start_date,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_start_date')) }} as date) as period_end_date,
        cast(extract(month from month_start_date) as integer) as year_position,
        date_key
    from observed_days
)

select
    period_type,
    period_start_date,
    period_end_date,
    max(date_key) as observed_end_date,
    year_position,
    cast(count(*) as integer) as days_count,
    count(*) < {{ dbt.datediff('period_start_date', 'period_end_date', 'day') }} + 1 as is_partial_period
from period_days
group by
    period_type,
    period_start_date,
    period_end_date,
    year_position
