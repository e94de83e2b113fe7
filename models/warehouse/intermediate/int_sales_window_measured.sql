-- one row: the span of business dates in the data, and the date that everything relative is measured from
-- Before the first sale has arrived, all three are one day: the models build, and are empty.
{%- set no_day = date_or('calendar_start_date', "'2000-01-01'") %}

with visits as (
    select * from {{ ref('int_visits_observed') }}
)

select
    1 as window_id,
    coalesce(min(business_date), {{ no_day }}) as first_business_date,
    coalesce(max(business_date), {{ no_day }}) as last_business_date,
    {{ date_or('as_of_date', 'coalesce(max(business_date), ' ~ no_day ~ ')') }} as as_of_date
from visits
