-- question: When are the tills busiest, day by day?
-- how to read it: each weekday's busiest hour, in the stores' own time (17 is from 17:00 to 17:59), its baskets on an
--   average such day over all stores, and its part of the day's baskets. The baskets are the loyalty households'.
-- answer on the default data: At 17 on all working days, at 16 on Sundays, at both alike on Saturdays. Sunday is the
--   busiest day, with 480 baskets, and Monday has the busiest hour, with 45.8.
with hours as (
    select * from {{ ref('sales_by_hour') }}
),

ranked as (
    select
        weekday_number,
        weekday_name,
        business_hour,
        daily_baskets_count,
        sum(daily_baskets_count) over (partition by weekday_number) as weekday_baskets_count,
        rank() over (partition by weekday_number order by daily_baskets_count desc nulls last) as place
    from hours
    where is_all_departments
)

select
    weekday_number,
    weekday_name,
    round(weekday_baskets_count, 0) as weekday_baskets_count,
    business_hour,
    round(daily_baskets_count, 1) as hour_baskets_count,
    round(100 * daily_baskets_count / weekday_baskets_count, 1) as hour_percent
from ranked
where place = 1
order by weekday_number asc, business_hour asc
