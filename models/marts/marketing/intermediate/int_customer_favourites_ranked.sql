-- one row: one customer that buys, with what it prefers; of equals the first in the alphabet or the smallest number
{%- set of_department = [
    'customer_id', 'department', 'net_sales_amount', 'merchandise_sales_amount', 'private_sales_amount',
    'branded_lines_count'
] %}
{%- set of_visit = ['customer_id', 'kind', 'member_number', 'baskets_count'] %}
with department_months as (
    select * from {{ ref('int_customer_departments_summed') }}
),

department_years as (
    select * from {{ ref('int_customer_department_years_summed') }}
),

visit_months as (
    select * from {{ ref('int_customer_visits_counted') }}
),

visit_years as (
    select * from {{ ref('int_customer_visit_years_counted') }}
),

closed_years as (
    select * from {{ ref('int_years_closed') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

closed as (
    select coalesce(max(last_month_start_date), cast('1900-01-01' as date)) as last_month_start_date
    from closed_years
),

-- the closed months, and the one since
department_periods as (
    select {{ of_department | join(',\n        ') }}
    from department_years

    union all

    select {{ of_department | join(',\n        ') }}
    from department_months
    inner join closed on department_months.month_start_date > closed.last_month_start_date
),

visit_periods as (
    select {{ of_visit | join(',\n        ') }}
    from visit_years

    union all

    select {{ of_visit | join(',\n        ') }}
    from visit_months
    inner join closed on visit_months.month_start_date > closed.last_month_start_date
),

department_sales as (
    select
        customer_id,
        department,
        sum(net_sales_amount) as net_sales_amount,
        sum(merchandise_sales_amount) as merchandise_sales_amount,
        sum(private_sales_amount) as private_sales_amount,
        sum(branded_lines_count) as branded_lines_count
    from department_periods
    group by
        customer_id,
        department
),

departments as (
    select
        customer_id,
        department,
        sum(merchandise_sales_amount) over customer_departments as merchandise_sales_amount,
        sum(private_sales_amount) over customer_departments as private_sales_amount,
        sum(branded_lines_count) over customer_departments as branded_lines_count,
        row_number() over (
            partition by customer_id order by net_sales_amount desc nulls last, department asc nulls last
        ) as place
    from department_sales
    window customer_departments as (partition by customer_id)
),

visits as (
    select
        customer_id,
        kind,
        member_number,
        sum(baskets_count) as baskets_count
    from visit_periods
    group by
        customer_id,
        kind,
        member_number
),

-- stores by their ids, days and hours by their numbers
places as (
    select
        visits.customer_id,
        visits.kind,
        visits.member_number,
        stores.store_id,
        row_number() over (
            partition by visits.customer_id, visits.kind
            order by visits.baskets_count desc, stores.store_id asc nulls last, visits.member_number asc
        ) as place
    from visits
    left join stores on visits.kind = 'store' and visits.member_number = stores.store_key
),

favourites as (
    select
        customer_id,
        max(case when kind = 'store' then store_id end) as store_id,
        max(case when kind = 'weekday' then member_number end) as weekday_number,
        max(case when kind = 'hour' then member_number end) as business_hour
    from places
    where place = 1
    group by customer_id
),

weekdays as (
    select distinct
        weekday_number,
        weekday_name
    from dates
)

select
    departments.customer_id,
    departments.department as favourite_department,
    favourites.store_id as favourite_store_id,
    weekdays.weekday_name as favourite_weekday_name,
    cast(favourites.business_hour as smallint) as favourite_hour,
    cast(
        case when departments.branded_lines_count > 0 then departments.private_sales_amount end
        / nullif(departments.merchandise_sales_amount, 0) as numeric(12, 8)
    ) as private_brand_rate
from departments
inner join favourites on departments.customer_id = favourites.customer_id
inner join weekdays on favourites.weekday_number = weekdays.weekday_number
where departments.place = 1
