-- one row: one year with months before the newest: those are closed, and their pairs are added up once
with category_months as (
    select * from {{ ref('int_category_months_counted') }}
),

months as (
    select distinct month_start_date
    from category_months
),

newest as (
    select max(month_start_date) as month_start_date
    from months
)

select
    cast({{ dbt.date_trunc('year', 'months.month_start_date') }} as date) as year_start_date,
    min(months.month_start_date) as first_month_start_date,
    max(months.month_start_date) as last_month_start_date
from months
cross join newest
where months.month_start_date < newest.month_start_date
group by cast({{ dbt.date_trunc('year', 'months.month_start_date') }} as date)
