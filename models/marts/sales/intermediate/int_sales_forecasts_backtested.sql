-- one row: one department from the end of one week, so many weeks ahead: what each method says, and what came
with department_weeks as (
    select * from {{ ref('int_department_weeks_levelled') }}
),

newest as (
    select max(week_number) as week_number
    from department_weeks
),

-- two years of origins, from the first that has four weeks behind it
origins as (
    select department_weeks.*
    from department_weeks
    cross join newest
    where
        department_weeks.week_number >= 3
        and department_weeks.week_number > newest.week_number - 105
),

-- the shape of the year: a week and half of each beside it
shapes as (
    select
        department,
        week_number,
        net_sales_amount,
        (
            lag(net_sales_amount) over series + 2 * net_sales_amount + lead(net_sales_amount) over series
        ) / 4 as shape_amount
    from department_weeks
    window series as (partition by department order by week_number asc nulls last)
),

horizons as (
    {%- for week in range(1, 14) %}
        select {{ week }} as weeks_ahead
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

asked as (
    select
        origins.department,
        origins.is_all_departments,
        origins.week_number as origin_number,
        origins.is_newest,
        origins.week_start_date as origin_week_start_date,
        horizons.weeks_ahead,
        origins.mean_of_4_amount,
        origins.recent_1_amount,
        origins.recent_4_amount,
        origins.recent_16_amount
    from origins
    cross join horizons
)

select
    asked.department,
    asked.is_all_departments,
    asked.origin_number,
    asked.is_newest,
    asked.weeks_ahead,
    cast({{ dbt.dateadd('day', '7 * asked.weeks_ahead', 'asked.origin_week_start_date') }} as date) as week_start_date,
    targets.net_sales_amount as actual_amount,
    asked.mean_of_4_amount,
    asked.recent_1_amount,
    asked.recent_4_amount,
    asked.recent_16_amount,
    {%- for half_life in [4, 16] %}
        cast(
            shapes.shape_amount * asked.recent_{{ half_life }}_amount
            / nullif(year_ago.recent_{{ half_life }}_amount, 0) as numeric(24, 8)
        ) as seasonal_{{ half_life }}_amount,
    {%- endfor %}
    cast(shapes.net_sales_amount as numeric(24, 8)) as seasonal_naive_amount
from asked
left join department_weeks as targets
    on
        asked.department = targets.department
        and asked.origin_number + asked.weeks_ahead = targets.week_number
left join department_weeks as year_ago
    on
        asked.department = year_ago.department
        and asked.origin_number - 52 = year_ago.week_number
left join shapes
    on
        asked.department = shapes.department
        and asked.origin_number + asked.weeks_ahead - 52 = shapes.week_number
