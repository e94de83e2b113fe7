-- one row: one calendar day
with sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

-- whole years, from the one before the first sale to the one after the last: budgets and campaigns reach beyond sales
bounds as (
    select
        as_of_date,
        {{ date_or('calendar_start_date', dbt.date_trunc('year', add_days('first_business_date', -365))) }}
            as first_day,
        {{ date_or('calendar_end_date', dbt.date_trunc('year', add_days('last_business_date', 731))) }} as end_day,
        {{ date_or('first_week_start_date', dbt.date_trunc('week', 'first_business_date')) }} as first_week_start_date
    from sales_window
),

spine as (
    select
        bounds.as_of_date,
        bounds.first_week_start_date,
        {{ days_between('bounds.first_day', add_days('bounds.end_day', -1)) }} as date_key
    from bounds
),

days as (
    select
        date_key,
        as_of_date,
        first_week_start_date,
        cast({{ dbt.date_trunc('week', 'date_key') }} as date) as week_start_date,
        cast({{ dbt.date_trunc('month', 'date_key') }} as date) as month_start_date,
        cast(extract(year from date_key) as integer) as calendar_year,
        cast(extract(month from date_key) as integer) as month_number
    from spine
),

fiscal_years as (
    select
        days.*,
        case
            when date_key < {{ fiscal_year_start('calendar_year') }} then {{ fiscal_year_start('(calendar_year - 1)') }}
            when date_key >= {{ fiscal_year_start('(calendar_year + 1)') }}
                then {{ fiscal_year_start('(calendar_year + 1)') }}
            else {{ fiscal_year_start('calendar_year') }}
        end as fiscal_year_start_date
    from days
),

numbered as (
    select
        date_key,
        week_start_date,
        month_start_date,
        calendar_year,
        cast(extract(quarter from date_key) as integer) as calendar_quarter,
        month_number,
        cast(extract(day from date_key) as integer) as day_of_month,
        {{ dbt.datediff('week_start_date', 'date_key', 'day') }} + 1 as weekday_number,
        {{ whole_quotient(dbt.datediff('first_week_start_date', 'week_start_date', 'day'), 7) }} + 1
            as retail_week_number,
        -- its middle tells the year: a year of weeks may begin in the last days of the year before
        cast(extract(year from {{ add_days('fiscal_year_start_date', 15) }}) as integer)
        + {{ 1 if var('fiscal_year_named_by') == 'end' and var('fiscal_year_start_month') > 1 else 0 }} as fiscal_year,
        cast(
            {{ fiscal_period_number('date_key', 'month_number', 'fiscal_year_start_date') }} as integer
        ) as fiscal_period_number,
        {{ dbt.datediff('date_key', 'as_of_date', 'day') }} as days_before_as_of
    from fiscal_years
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
    fiscal_year,
    cast({{ whole_quotient('fiscal_period_number - 1', 3) }} + 1 as integer) as fiscal_quarter,
    fiscal_period_number,
    cast(fiscal_year as {{ dbt.type_string() }}) || '-'
    || case when fiscal_period_number < 10 then '0' else '' end
    || cast(fiscal_period_number as {{ dbt.type_string() }}) as fiscal_period,
    days_before_as_of,
    days_before_as_of = 0 as is_as_of_date,
    days_before_as_of >= 0 as is_on_or_before_as_of,
    days_before_as_of between 0 and 364 as is_trailing_365_days
from numbered
