-- one row: one calendar month, and its days until the newest whole retail week ended: basket_affinity counts these
{%- set week_after = "cast(" ~ dbt.date_trunc('week', add_days('as_of_date', 1)) ~ " as date)" %}
with dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select
        first_business_date,
        {{ week_after }} as week_after_date
    from {{ ref('int_sales_window_measured') }}
)

select
    dates.month_start_date,
    min(dates.date_key) as first_date,
    max(dates.date_key) as last_date
from dates
inner join sales_window
    on
        dates.date_key >= sales_window.first_business_date
        and dates.date_key < sales_window.week_after_date
group by dates.month_start_date
