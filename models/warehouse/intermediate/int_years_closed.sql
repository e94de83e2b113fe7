-- one row: one calendar year with months before the newest: those are closed, and what is added up of them stays
with months as (
    select * from {{ ref('int_months_begun') }}
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
