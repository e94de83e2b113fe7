-- one row: one customer that has bought, with its value of 12 months and what is expected of the next 90 days
-- noqa: disable=LT02
{%- set bought = {'baskets': 'baskets_count', 'sales': 'sales_amount'} %}
{%- set levels = {'80': (0.1, 0.9), '95': (0.025, 0.975)} %}
with spans as (
    select * from {{ ref('int_customer_spending_observed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

predicted as (
    select * from {{ ref('int_customer_values_predicted') }}
),

-- how far customers of the same tenth were from the line that was fitted on them
tenths as (
    select
        purpose,
        measure,
        tenth,
    {%- for level, ends in levels.items() %}
        percentile_disc({{ ends[0] }}) within group (order by later - typical) as lower_{{ level }},
        percentile_disc({{ ends[1] }}) within group (order by later - typical)
            as upper_{{ level }}{{ ',' if not loop.last }}
    {%- endfor %}
    from predicted
    where is_fitted
    group by
        purpose,
        measure,
        tenth
),

-- one row a customer, from today and from 90 days ago
forecasts as (
    select
        predicted.customer_id,
        {%- for purpose, origin in [('forecast', 0), ('holdout', 2)] %}
            {%- for measure in ['baskets', 'sales'] %}
                {%- set asked %}
                    filter (
                        where predicted.purpose = '{{ purpose }}'
                        and predicted.measure = '{{ measure }}'
                        and predicted.origin_number = {{ origin }}
                    )
                {%- endset %}
                {%- for kind in ['typical', 'expected'] %}
                    max(predicted.{{ kind }}) {{ asked }} as {{ purpose }}_{{ kind }}_{{ measure }},
                {%- endfor %}
                {%- for level in levels %}
                    max(case
                        when predicted.typical + tenths.lower_{{ level }} < 0 then 0
                        else predicted.typical + tenths.lower_{{ level }}
                    end) {{ asked }}
                        as {{ purpose }}_lower_{{ level }}_{{ measure }},
                    max(predicted.typical + tenths.upper_{{ level }}) {{ asked }}
                        as {{ purpose }}_upper_{{ level }}_{{ measure }},
                {%- endfor %}
            {%- endfor %}
        {%- endfor %}
        count(*) as predictions_count
    from predicted
    left join tenths
        on
            predicted.purpose = tenths.purpose
            and predicted.measure = tenths.measure
            and predicted.tenth = tenths.tenth
    where predicted.origin_number in (0, 2)
    group by predicted.customer_id
)

select
    spans.customer_id,
    sales_window.as_of_date,
    {{ dbt.datediff('sales_window.first_business_date', 'sales_window.as_of_date', 'day') }} < 269 as is_history_cut,
    cast(spans.year_baskets_count as integer) as twelve_month_baskets_count,
    cast(spans.year_sales_amount as numeric(14, 2)) as twelve_month_value_amount,
    cast(spans.last_baskets_count as integer) as last_90_days_baskets_count,
    cast(spans.last_sales_amount as numeric(14, 2)) as last_90_days_sales_amount,
    {%- for measure, name, type in [('baskets', 'baskets_count', '14, 6'), ('sales', 'value_amount', '14, 2')] %}
        cast(forecasts.forecast_expected_{{ measure }} as numeric({{ type }})) as expected_{{ name }},
        cast(forecasts.forecast_typical_{{ measure }} as numeric({{ type }})) as typical_{{ name }},
        {%- for level in levels %}
            {%- for end in ['lower', 'upper'] %}
                cast(
                    forecasts.forecast_{{ end }}_{{ level }}_{{ measure }} as numeric({{ type }})
                ) as {{ end }}_{{ level }}_{{ name }},
            {%- endfor %}
        {%- endfor %}
    {%- endfor %}
    cast(rank() over (order by forecasts.forecast_expected_sales desc nulls last) as integer) as expected_value_rank,
    spans.is_in_holdout,
{%- for measure, name, type in [('baskets', 'baskets_count', '14, 6'), ('sales', 'value_amount', '14, 2')] %}
    {%- for kind in ['expected', 'typical'] %}
        cast(
            case when spans.is_in_holdout then forecasts.holdout_{{ kind }}_{{ measure }} end as numeric({{ type }})
        ) as holdout_{{ kind }}_{{ name }},
    {%- endfor %}
    {%- for kind in ['naive', 'last'] %}
        cast(
            case when spans.is_in_holdout then spans.{{ kind }}_{{ bought[measure] }} end
            as {{ 'integer' if measure == 'baskets' else 'numeric(14, 2)' }}
        ) as holdout_{{ 'actual' if kind == 'last' else kind }}_{{ name }},
    {%- endfor %}
{%- for level in levels %}
    case
        when spans.is_in_holdout
            then
                spans.last_{{ bought[measure] }} between forecasts.holdout_lower_{{ level }}_{{ measure }}
                and forecasts.holdout_upper_{{ level }}_{{ measure }}
    end as is_{{ name.split('_')[0] }}_in_holdout_{{ level }}{{ ',' if not (loop.last and measure == 'sales') }}
{%- endfor %}
{%- endfor %}
from spans
cross join sales_window
left join forecasts on spans.customer_id = forecasts.customer_id
