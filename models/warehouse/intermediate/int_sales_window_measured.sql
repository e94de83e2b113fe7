-- one row: the span of business dates in the data, and the date that everything relative is measured from
-- Before the first sale has arrived, all three are the calendar's first day: the models build, and are empty.
{%- set calendar_start_date = "cast('" ~ var('calendar_start_date') ~ "' as date)" %}

with visits as (
    select * from {{ ref('int_visits_observed') }}
)

select
    1 as window_id,
    coalesce(min(business_date), {{ calendar_start_date }}) as first_business_date,
    coalesce(max(business_date), {{ calendar_start_date }}) as last_business_date,
    {% if var('as_of_date') -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- else -%}
        coalesce(max(business_date), {{ calendar_start_date }})
    {%- endif %} as as_of_date
from visits
