-- one row: one department after one week, with the method that had been least wrong by then
{%- set methods = ['mean_of_4', 'recent_4', 'recent_16', 'recent_1', 'seasonal_16', 'seasonal_4'] %}
with backtested as (
    select * from {{ ref('int_sales_forecasts_backtested') }}
),

-- what each method was wrong by for a week, over all origins that forecast it, beside the mean of four weeks
misses as (
    {%- for method in methods %}
        select
            department,
            origin_number + weeks_ahead as week_number,
            '{{ method }}' as forecast_method,
            {{ loop.index }} as method_order,
            sum(abs(actual_amount - {{ method }}_amount)) as missed_amount,
            sum(abs(actual_amount - mean_of_4_amount)) as mean_missed_amount
        from backtested
        where
            actual_amount is not null
            and {{ method }}_amount is not null
        group by
            department,
            origin_number + weeks_ahead
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

-- by a week all that came until then is known; a method has to have been tried for eight weeks. Equal to six places is
-- equal: then the plainer method.
known as (
    select
        department,
        week_number,
        forecast_method,
        method_order,
        round(
            cast(sum(missed_amount) over so_far as {{ ratio_type() }})
            / nullif(sum(mean_missed_amount) over so_far, 0), 6
        ) as missed_rate,
        count(*) over so_far as weeks_count
    from misses
    window so_far as (
        partition by department, forecast_method order by week_number asc nulls last
        rows between unbounded preceding and current row
    )
),

ranked as (
    select
        known.*,
        row_number() over (
            partition by department, week_number order by missed_rate asc nulls last, method_order asc nulls last
        ) as place
    from known
    where weeks_count >= 8
)

select
    department,
    cast(week_number as integer) as origin_number,
    forecast_method
from ranked
where place = 1
