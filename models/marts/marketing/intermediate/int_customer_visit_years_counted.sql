-- one row: one store, day of the week or hour, and how many baskets one customer had there or then in one year's closed
-- months, or those of the years before
{{ config(partition_by={
    'field': 'year_start_date', 'granularity': 'year',
    'spans': {'table': 'int_years_closed', 'first': 'first_month_start_date', 'last': 'last_month_start_date'}
}) }}

with visit_months as (
    select * from {{ ref('int_customer_visits_counted') }}
),

closed_years as (
    select * from {{ ref('int_years_closed') }}
)

select
    closed_years.year_start_date,
    visit_months.customer_id,
    visit_months.kind,
    visit_months.member_number,
    cast(sum(visit_months.baskets_count) as integer) as baskets_count
from visit_months
inner join closed_years
    on
        visit_months.month_start_date >= closed_years.first_month_start_date
        and visit_months.month_start_date <= closed_years.last_month_start_date
group by
    closed_years.year_start_date,
    visit_months.customer_id,
    visit_months.kind,
    visit_months.member_number
