-- one row: one calendar month that has begun by the as-of date
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

months as (
    select
        dates.month_start_date,
        count(*) filter (
            where dates.date_key >= sales_window.first_business_date and dates.date_key <= sales_window.as_of_date
        ) as days_count,
        max(dates.date_key) > max(sales_window.as_of_date)
        or min(dates.date_key) < max(sales_window.first_business_date) as is_partial_month
    from dates
    cross join sales_window
    group by dates.month_start_date
    having min(dates.date_key) <= max(sales_window.as_of_date)
)

select
    month_start_date,
    cast(days_count as integer) as days_count,
    cast(lag(days_count) over (order by month_start_date asc nulls last) as integer) as previous_days_count,
    is_partial_month
from months
