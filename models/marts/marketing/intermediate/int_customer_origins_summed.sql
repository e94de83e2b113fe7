-- one row: one customer seen from one origin, a day to forecast from: what it bought by then, and in the 90 days after
-- noqa: disable=LT02
{%- set half_lives = [30, 45, 60, 90] %}
{%- set spans_back = 18 %}
{%- set weight = 'cast(power(cast(0.5 as double precision), %s / %s.0) as numeric(13, 12))' %}
{%- set age_days = dbt.datediff('days.business_date', 'sales_window.as_of_date', 'day') %}
{%- set first_day = add_days('sales_window.as_of_date', '1 - ' ~ 45 * spans_back) %}
with days as (
    select * from {{ ref('int_customer_days_summed') }}
),

customers as (
    select * from {{ ref('int_customer_spending_observed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

-- spans of 45 days, counted back from the as-of date: 0 the newest; days within them, 0 the newest. What was bought
-- 810 days ago or earlier counts no more, but whoever bought then is known.
customer_days as (
    select
        days.customer_id,
        {{ age_days }} / 45 as span_number,
        mod({{ age_days }}, 45) as span_day,
        days.baskets_count as baskets,
        days.net_sales_amount as sales
    from days
    inner join sales_window
        on days.business_date >= {{ first_day }} and days.business_date <= sales_window.as_of_date

    union all

    select
        customers.customer_id,
        {{ spans_back - 1 }} as span_number,
        44 as span_day,
        0 as baskets,
        0 as sales
    from customers
    inner join sales_window on customers.first_basket_date < {{ first_day }}
),

-- a day counts half of what a day one half-life younger counts; powers of numeric would take half a minute
day_weights as (
    select
        span_day,
    {%- for half_life in half_lives %}
        {{ weight % ('span_day', half_life) }} as weight_{{ half_life }}{{ ',' if not loop.last }}
    {%- endfor %}
    from (select distinct span_day from customer_days) as span_days
),

spans as (
    select
        customer_days.customer_id,
        customer_days.span_number,
    {%- for measure in ['baskets', 'sales'] %}
        sum(customer_days.{{ measure }}) as {{ measure }},
    {%- for half_life in half_lives %}
        sum(customer_days.{{ measure }} * day_weights.weight_{{ half_life }})
            as decayed_{{ measure }}_{{ half_life }}
            {{ ',' if not loop.last }}
    {%- endfor %}{{ ',' if not loop.last }}
    {%- endfor %}
    from customer_days
    inner join day_weights on customer_days.span_day = day_weights.span_day
    group by
        customer_days.customer_id,
        customer_days.span_number
),

-- 9 origins, half of a forecast's 90 days apart, as far as there are 90 days before them; today whatever there is
origin_days as (
    select
        numbers.origin_number,
        least(
            {{ dbt.datediff('sales_window.first_business_date', 'sales_window.as_of_date', 'day') }} + 1,
            {{ 45 * spans_back }}
        ) - 45 * numbers.origin_number as known_days
    from (
        {%- for number in range(9) %}
            select {{ number }} as origin_number
            {%- if not loop.last %} union all {% endif %}
        {%- endfor %}
    ) as numbers
    cross join sales_window
),

-- what makes 90 days' worth of the weighted daily mean: a history cut short doesn't make it less
origins as (
    select
        origin_number,
    {%- for half_life in half_lives %}
        90 * (1 - power(0.5, 1 / {{ half_life }}.0)) / (1 - power(0.5, known_days / {{ half_life }}.0))
            as days_{{ half_life }}{{ ',' if not loop.last }}
    {%- endfor %}
    from origin_days
    where known_days >= 90 or origin_number = 0
),

-- span s lies s - o spans before origin o
lag_weights as (
    select
        lag_spans,
    {%- for half_life in half_lives %}
        {{ weight % ('45 * lag_spans', half_life) }} as weight_{{ half_life }}{{ ',' if not loop.last }}
    {%- endfor %}
    from (
        select distinct spans.span_number - origins.origin_number as lag_spans
        from spans
        inner join origins on spans.span_number >= origins.origin_number
    ) as lags
),

summed as (
    select
        spans.customer_id,
        origins.origin_number,
    {%- for measure in ['baskets', 'sales'] %}
        {%- for half_life in half_lives %}
            sum(spans.decayed_{{ measure }}_{{ half_life }} * lag_weights.weight_{{ half_life }})
            * max(origins.days_{{ half_life }}) as decayed_{{ measure }}_{{ half_life }},
        {%- endfor %}
        sum(case when origins.origin_number > spans.span_number then spans.{{ measure }} else 0 end)
            as later_{{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
    from spans
    inner join origins on spans.span_number >= origins.origin_number - 2
    left join lag_weights on spans.span_number - origins.origin_number = lag_weights.lag_spans
    group by
        spans.customer_id,
        origins.origin_number
    having count(lag_weights.lag_spans) > 0
)

select
    customer_id,
    origin_number,
{%- for measure in ['baskets', 'sales'] %}
    {%- for half_life in half_lives %}
        cast(decayed_{{ measure }}_{{ half_life }} as numeric(24, 12)) as decayed_{{ measure }}_{{ half_life }},
    {%- endfor %}
    cast(
        case when origin_number >= 2 then later_{{ measure }} end as numeric(16, 2)
    ) as later_{{ measure }}{{ ',' if not loop.last }}
{%- endfor %}
from summed
