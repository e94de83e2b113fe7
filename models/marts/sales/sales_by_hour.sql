-- one row: one hour of one day of the week, in one department or in all of them
with hours as (
    select * from {{ ref('int_hours_summed') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

weekdays as (
    select
        dates.weekday_number,
        dates.weekday_name,
        count(*) as days_count
    from dates
    inner join sales_window
        on
            dates.date_key >= sales_window.first_business_date
            and dates.date_key <= sales_window.as_of_date
    group by
        dates.weekday_number,
        dates.weekday_name
),

summed as (
    select
        weekday_number,
        business_hour,
        department,
        is_all_departments,
        sum(baskets_count) as baskets_count,
        sum(net_sales_amount) as net_sales_amount
    from hours
    group by
        weekday_number,
        business_hour,
        department,
        is_all_departments
)

select
    summed.weekday_number,
    weekdays.weekday_name,
    summed.business_hour,
    summed.department,
    summed.is_all_departments,
    cast(weekdays.days_count as integer) as days_count,
    cast(summed.baskets_count as integer) as baskets_count,
    cast(summed.net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(summed.baskets_count / cast(weekdays.days_count as {{ ratio_type() }}) as numeric(14, 6))
        as daily_baskets_count,
    cast(summed.net_sales_amount / weekdays.days_count as numeric(14, 6)) as daily_net_sales_amount,
    cast(
        summed.net_sales_amount
        / nullif(sum(summed.net_sales_amount) over (partition by summed.department), 0) as numeric(12, 8)
    ) as department_share_rate,
    summed.baskets_count < 30 as is_small_number
from summed
inner join weekdays on summed.weekday_number = weekdays.weekday_number
