-- Every business date with sales is a day of dim_date: else marts would lose its sales without a word.
{{ config(meta={'explained_by': 'message'}) }}
with calendar as (
    select
        min(date_key) as first_day,
        max(date_key) as last_day
    from {{ ref('dim_date') }}
),

sales as (
    select
        min(business_date) as first_business_date,
        max(business_date) as last_business_date
    from {{ ref('int_visits_observed') }}
)

select
    'sales run from ' || {{ as_text('sales.first_business_date') }} || ' to '
    || {{ as_text('sales.last_business_date') }} || ', and the calendar from ' || {{ as_text('calendar.first_day') }}
    || ' to ' || {{ as_text('calendar.last_day') }}
    || ': set variables calendar_start_date and calendar_end_date to null, or wider' as message
from calendar
cross join sales
where
    sales.first_business_date < calendar.first_day
    or sales.last_business_date > calendar.last_day
    or (calendar.first_day is null and sales.first_business_date is not null)
