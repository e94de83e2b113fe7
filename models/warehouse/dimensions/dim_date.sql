-- one row: one calendar day
with spine as (
    {{ dbt.date_spine(
        'day',
        "cast('" ~ var('calendar_start_date') ~ "' as date)",
        "cast('" ~ var('calendar_end_date') ~ "' as date)"
    ) }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

days as (
    select
        cast(spine.date_day as date) as date_key,
        cast({{ dbt.date_trunc('week', 'spine.date_day') }} as date) as week_start_date,
        cast({{ dbt.date_trunc('month', 'spine.date_day') }} as date) as month_start_date,
        sales_window.as_of_date
    from spine
    cross join sales_window
),

numbered as (
    select
        date_key,
        week_start_date,
        month_start_date,
        cast(extract(year from date_key) as integer) as calendar_year,
        cast(extract(quarter from date_key) as integer) as calendar_quarter,
        cast(extract(month from date_key) as integer) as month_number,
        cast(extract(day from date_key) as integer) as day_of_month,
        {{ dbt.datediff('week_start_date', 'date_key', 'day') }} + 1 as weekday_number,
        {{ dbt.datediff("cast('" ~ var('first_week_start_date') ~ "' as date)", 'week_start_date', 'day') }} / 7 + 1
            as retail_week_number,
        {{ dbt.datediff('date_key', 'as_of_date', 'day') }} as days_before_as_of
    from days
)

select
    date_key,
    week_start_date,
    month_start_date,
    calendar_year,
    calendar_quarter,
    month_number,
    day_of_month,
    weekday_number,
    case weekday_number
        when 1 then 'Monday'
        when 2 then 'Tuesday'
        when 3 then 'Wednesday'
        when 4 then 'Thursday'
        when 5 then 'Friday'
        when 6 then 'Saturday'
        else 'Sunday'
    end as weekday_name,
    weekday_number in (6, 7) as is_weekend,
    cast(retail_week_number as integer) as retail_week_number,
    calendar_year as fiscal_year,
    cast(calendar_year as {{ dbt.type_string() }}) || '-'
    || case when month_number < 10 then '0' else '' end
    || cast(month_number as {{ dbt.type_string() }}) as fiscal_period,
    days_before_as_of,
    days_before_as_of = 0 as is_as_of_date,
    days_before_as_of >= 0 as is_on_or_before_as_of,
    days_before_as_of between 0 and 364 as is_trailing_365_days
from numbered
