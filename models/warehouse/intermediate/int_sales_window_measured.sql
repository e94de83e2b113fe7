-- one row: the span of business dates in the data, and the date that everything relative is measured from
with visits as (
    select * from {{ ref('int_visits_observed') }}
)

select
    1 as window_id,
    min(business_date) as first_business_date,
    max(business_date) as last_business_date,
    {% if var('as_of_date') -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- else -%}
        max(business_date)
    {%- endif %} as as_of_date
from visits
