-- one row: the months before the newest, which are closed: those of earlier calendar years together, and of its own
-- What is added up of them stays; so a day adds two sums to the newest month, however long the history.
with months as (
    select * from {{ ref('int_months_begun') }}
),

newest as (
    select max(month_start_date) as month_start_date
    from months
)

select
    cast({{ dbt.date_trunc('year', 'min(months.month_start_date)') }} as date) as year_start_date,
    min(months.month_start_date) as first_month_start_date,
    max(months.month_start_date) as last_month_start_date
from months
cross join newest
where months.month_start_date < newest.month_start_date
group by months.month_start_date < cast({{ dbt.date_trunc('year', 'newest.month_start_date') }} as date)
