-- one row: one department, or all of them, after one whole week: its sales of the week, and its level until then
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}
{%- set half = 'cast(0.5 as ' ~ engine_type('double precision') ~ ')' %}
with trends as (
    select * from {{ ref('sales_trends') }}
),

-- numbered from the first whole week, 0; no week is missing in between
weeks as (
    select
        department,
        is_all_departments,
        period_start_date as week_start_date,
        net_sales_amount,
        {{ whole_quotient(dbt.datediff('min(period_start_date) over ()', 'period_start_date', 'day'), 7) }}
            as week_number,
        {{ whole_quotient(
            dbt.datediff('min(period_start_date) over ()', 'max(period_start_date) over ()', 'day'), 7
        ) }} as newest_number,
        avg(cast(net_sales_amount as {{ ratio_type() }})) over (
            partition by department order by period_start_date asc nulls last
            rows between 3 preceding and current row
        ) as mean_of_4
    from trends
    where
        period_type = 'week'
        and not is_partial_period
),

-- forecasts are made from the weeks of two years, each from the two years before it: that bounds the work
numbers as (
    select distinct week_number as weeks_back from weeks
    where week_number <= 103
),

-- a week counts half of what one counts that is 1, 4 or 16 weeks younger
weights as {{ at_once() }} (
    select
        {%- for half_life in [1, 4, 16] %}
            cast(power({{ half }}, weeks_back / {{ half_life }}e0) as numeric(13, 12)) as weight_{{ half_life }},
        {%- endfor %}
        weeks_back
    from numbers
),

-- what the weeks weigh together, as many as there are: the same for each department
summed_weights as {{ at_once() }} (
    select
        {%- for half_life in [1, 4, 16] %}
            sum(weight_{{ half_life }}) over (order by weeks_back asc nulls last) as weight_{{ half_life }},
        {%- endfor %}
        weeks_back
    from weights
),

weighted as (
    select
        {%- for half_life in [1, 4, 16] %}
            sum(earlier.net_sales_amount * weights.weight_{{ half_life }}) as recent_{{ half_life }},
        {%- endfor %}
        weeks.department,
        weeks.week_number
    from weeks
    cross join weights
    inner join weeks as earlier
        on weeks.department = earlier.department and weeks.week_number - weights.weeks_back = earlier.week_number
    where weeks.week_number > weeks.newest_number - 105
    group by
        weeks.department,
        weeks.week_number
),

levels as (
    select
        {%- for half_life in [1, 4, 16] %}
            weighted.recent_{{ half_life }} / summed_weights.weight_{{ half_life }} as recent_{{ half_life }},
        {%- endfor %}
        weighted.department,
        weighted.week_number
    from weighted
    inner join summed_weights on least(weighted.week_number, 103) = summed_weights.weeks_back
)

select
    weeks.department,
    weeks.is_all_departments,
    weeks.week_number,
    weeks.week_start_date,
    weeks.week_number = weeks.newest_number as is_newest,
    cast(weeks.net_sales_amount as numeric(16, 2)) as net_sales_amount,
    cast(levels.recent_1 as numeric(24, 8)) as recent_1_amount,
    cast(levels.recent_4 as numeric(24, 8)) as recent_4_amount,
    cast(levels.recent_16 as numeric(24, 8)) as recent_16_amount,
    cast(case when levels.week_number is not null then weeks.mean_of_4 end as numeric(24, 8)) as mean_of_4_amount
from weeks
left join levels
    on
        weeks.department = levels.department
        and weeks.week_number = levels.week_number
