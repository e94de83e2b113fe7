-- one row: one customer that has bought, with its value of 12 months and what is expected of the next 90 days
{%- set measures = ['baskets', 'sales'] %}
with baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

aged_baskets as (
    select
        customers.customer_id,
        {{ dbt.datediff('baskets.business_date', 'sales_window.as_of_date', 'day') }} as age_days,
        cast(case when baskets.is_sale then 1 else 0 end as numeric) as baskets,
        baskets.net_sales_amount as sales
    from baskets
    inner join customers on baskets.customer_key = customers.customer_key
    inner join sales_window on baskets.business_date <= sales_window.as_of_date
    where {{ is_identified('customers.customer_key') }}
),

-- spans of 90 days, counted back from the as-of date: 0 the newest, 1 the one before, 2 the one before that
spans as (
    select
        customer_id,
        {%- for measure in measures %}
            coalesce(sum({{ measure }}) filter (where age_days < 365), 0) as year_{{ measure }},
            coalesce(sum({{ measure }}) filter (where age_days < 90), 0) as span_0_{{ measure }},
            coalesce(sum({{ measure }}) filter (where age_days between 90 and 179), 0) as span_1_{{ measure }},
            coalesce(sum({{ measure }}) filter (where age_days between 180 and 269), 0) as span_2_{{ measure }},
        {%- endfor %}
        max(age_days) as known_days
    from aged_baskets
    group by customer_id
),

-- the line through all customers that were known before a span: what they did in it, by what they did in the one
-- before
sums as (
    select
        {%- for measure in measures %}
            {%- for fit in [0, 1] %}
                {%- set later, earlier = 'span_%d_%s' % (fit, measure), 'span_%d_%s' % (fit + 1, measure) %}
                {%- set known = 'filter (where known_days >= %d)' % (90 * (fit + 1)) %}
                cast(count(*) {{ known }} as numeric) as {{ measure }}_n_{{ fit }},
                sum({{ earlier }}) {{ known }} as {{ measure }}_x_{{ fit }},
                sum({{ later }}) {{ known }} as {{ measure }}_y_{{ fit }},
                sum({{ earlier }} * {{ earlier }}) {{ known }} as {{ measure }}_xx_{{ fit }},
                sum({{ earlier }} * {{ later }}) {{ known }} as {{ measure }}_xy_{{ fit }},
            {%- endfor %}
        {%- endfor %}
        count(*) as customers_count
    from spans
),

slopes as (
    select
        {%- for measure in measures %}
            {%- for fit in [0, 1] %}
                {%- set key = measure ~ '_%s_' ~ fit %}
                ({{ key % 'n' }} * {{ key % 'xy' }} - {{ key % 'x' }} * {{ key % 'y' }})
                / nullif({{ key % 'n' }} * {{ key % 'xx' }} - {{ key % 'x' }} * {{ key % 'x' }}, 0)
                    as {{ key % 'slope' }},
            {%- endfor %}
        {%- endfor %}
        sums.*
    from sums
),

predicted as (
    select
        spans.*,
        {%- for measure in measures %}
            {%- for fit in [0, 1] %}
                {%- set key = 'slopes.' ~ measure ~ '_%s_' ~ fit %}
                ({{ key % 'y' }} - {{ key % 'slope' }} * {{ key % 'x' }}) / {{ key % 'n' }}
                + {{ key % 'slope' }} * spans.span_{{ fit }}_{{ measure }} as expected_{{ fit }}_{{ measure }},
            {%- endfor %}
        {%- endfor %}
        sales_window.as_of_date,
        {{ dbt.datediff('sales_window.first_business_date', 'sales_window.as_of_date', 'day') }} < 269
            as is_history_cut,
        spans.known_days >= 90 as is_in_holdout
    from spans
    cross join slopes
    cross join sales_window
)

select
    customer_id,
    as_of_date,
    is_history_cut,
    cast(year_baskets as integer) as twelve_month_baskets_count,
    cast(year_sales as numeric(14, 2)) as twelve_month_value_amount,
    cast(span_0_baskets as integer) as last_90_days_baskets_count,
    cast(span_0_sales as numeric(14, 2)) as last_90_days_sales_amount,
    cast(expected_0_baskets as numeric(14, 6)) as expected_baskets_count,
    cast(expected_0_sales as numeric(14, 2)) as expected_value_amount,
    cast(rank() over (order by span_0_sales desc nulls last) as integer) as expected_value_rank,
    is_in_holdout,
    cast(case when is_in_holdout then expected_1_baskets end as numeric(14, 6)) as holdout_expected_baskets_count,
    cast(case when is_in_holdout then span_1_baskets end as integer) as holdout_naive_baskets_count,
    cast(case when is_in_holdout then span_0_baskets end as integer) as holdout_actual_baskets_count,
    cast(case when is_in_holdout then expected_1_sales end as numeric(14, 2)) as holdout_expected_value_amount,
    cast(case when is_in_holdout then span_1_sales end as numeric(14, 2)) as holdout_naive_value_amount,
    cast(case when is_in_holdout then span_0_sales end as numeric(14, 2)) as holdout_actual_value_amount
from predicted
