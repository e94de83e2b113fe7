-- one row: one customer seen from one origin, a day to forecast from: what it bought by then, and in the 90 days after
-- noqa: disable=LT02
{%- set half_lives, spans_back = [30, 45, 60, 90], 14 %}
{%- set from_newest = 'partition by customer_id order by span_number desc nulls last' %}
{%- set decays = [] %}
{%- for measure, parts in [('baskets', 10 ** 12), ('sales_cents', 10 ** 10)] %}
    {%- for half_life in half_lives %}{%- do decays.append((measure, half_life, parts)) %}{%- endfor %}
{%- endfor %}
{%- set weight = 'power(cast(0.5 as ' ~ engine_type('double precision') ~ '), %s / %se0)' %}
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
-- 630 days ago or earlier counts no more, but whoever bought then is known.
customer_days as (
    select
        days.customer_id,
        {{ whole_quotient(age_days, 45) }} as span_number,
        mod({{ age_days }}, 45) as span_day,
        days.baskets_count as baskets,
        cast(100 * days.net_sales_amount as bigint) as sales_cents
    from days
    inner join sales_window
        on days.business_date >= {{ first_day }} and days.business_date <= sales_window.as_of_date

    union all

    select
        customers.customer_id,
        {{ spans_back - 1 }} as span_number,
        44 as span_day,
        0 as baskets,
        0 as sales_cents
    from customers
    inner join sales_window on customers.first_basket_date < {{ first_day }}
),

-- a day counts half of what a day one half-life younger counts. Parts of a basket and of a cent are whole numbers:
-- their sums are exact in any order, and cheap. Nobody buys for 9 million on a day, where they would end.
day_weights as {{ at_once() }} (
    select
    {%- for measure, half_life, parts in decays %}
        cast(round({{ parts }} * {{ weight % ('span_day', half_life) }}) as bigint) as {{ measure }}_{{ half_life }},
    {%- endfor %}
        span_day
    from (values (0){% for day in range(1, 45) %}, ({{ day }}){% endfor %}) as span_days (span_day)
),

spans as (
    select
        customer_days.customer_id,
        customer_days.span_number,
    {%- for measure, half_life, parts in decays %}
        sum(customer_days.{{ measure }} * day_weights.{{ measure }}_{{ half_life }}) as {{ measure }}_{{ half_life }},
    {%- endfor %}
        sum(customer_days.baskets) as baskets,
        sum(customer_days.sales_cents) as sales_cents
    from customer_days
    inner join day_weights on customer_days.span_day = day_weights.span_day
    group by
        customer_days.customer_id,
        customer_days.span_number
),

-- 7 origins, half of a forecast's 90 days apart, as far as there are 90 days before them; today whatever there is
origin_days as (
    select
        numbers.origin_number,
        least(
            {{ dbt.datediff('sales_window.first_business_date', 'sales_window.as_of_date', 'day') }} + 1,
            {{ 45 * spans_back }}
        ) - 45 * numbers.origin_number as known_days
    from (values (0){% for number in range(1, 7) %}, ({{ number }}){% endfor %}) as numbers (origin_number)
    cross join sales_window
),

-- what makes 90 days' worth of the weighted daily mean, for weights as of today: a history cut short makes it no less
origins as {{ at_once() }} (
    select
        origin_number,
    {%- for half_life in half_lives %}
        90 * (1 - power(0.5, 1 / {{ half_life }}e0)) / (1 - power(0.5, known_days / {{ half_life }}e0))
        * power(2, 45 * origin_number / {{ half_life }}e0) as days_{{ half_life }}{{ ',' if not loop.last }}
    {%- endfor %}
    from origin_days
    where known_days >= 90 or origin_number = 0
),

-- all spans as of today, whatever the origin: seen from origin o each weighs as much more as o spans make
span_weights as {{ at_once() }} (
    select
    {%- for half_life in half_lives %}
        cast({{ weight % ('45 * span_number', half_life) }} as numeric(24, 22)) as weight_{{ half_life }},
    {%- endfor %}
        span_number
    from (values (0){% for number in range(1, spans_back) %}, ({{ number }}){% endfor %}) as span_numbers (span_number)
),

weighted_spans as {{ at_once() }} (
    select
        spans.customer_id,
        spans.span_number,
    {%- for measure, half_life, parts in decays %}
        round(spans.{{ measure }}_{{ half_life }} * span_weights.weight_{{ half_life }}, 3)
            as {{ measure }}_{{ half_life }},
    {%- endfor %}
        spans.baskets,
        spans.sales_cents
    from spans
    inner join span_weights on spans.span_number = span_weights.span_number
),

-- from each span on, what was bought in it and before; it is all that is known until the next span with a purchase
known as (
    select
        customer_id,
        span_number,
    {%- for measure, half_life, parts in decays %}
        sum({{ measure }}_{{ half_life }}) over ({{ from_newest }}) as {{ measure }}_{{ half_life }},
    {%- endfor %}
        coalesce(lead(span_number) over ({{ from_newest }}), -1) as next_span_number
    from weighted_spans
)

select
    known.customer_id,
    origins.origin_number,
{%- for measure, half_life, parts in decays %}
    cast(known.{{ measure }}_{{ half_life }} * origins.days_{{ half_life }} / 1000000000000 as numeric(24, 12))
        as decayed_{{ measure.split('_')[0] }}_{{ half_life }},
{%- endfor %}
    cast(case when origins.origin_number >= 2 then coalesce(one.baskets, 0) + coalesce(two.baskets, 0) end
        as numeric(16, 2)) as later_baskets,
    cast(case when origins.origin_number >= 2 then coalesce(one.sales_cents, 0) + coalesce(two.sales_cents, 0) end
        / 100.0 as numeric(16, 2)) as later_sales
from known
inner join origins on known.span_number >= origins.origin_number and known.next_span_number < origins.origin_number
left join weighted_spans as one on known.customer_id = one.customer_id and origins.origin_number - 1 = one.span_number
left join weighted_spans as two on known.customer_id = two.customer_id and origins.origin_number - 2 = two.span_number
