-- one row: the line by which a measure is forecast, as of today or as it was to be known 90 days ago
{%- set repetitions = 6 %}
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}
with origins as (
    select * from {{ ref('int_customer_origins_summed') }}
),

half_lives as (
    select * from {{ ref('int_customer_half_lives_compared') }}
),

observations as (
    {%- for measure in ['baskets', 'sales'] %}
        select
            half_lives.purpose,
            half_lives.measure,
            half_lives.half_life_days,
            case half_lives.half_life_days
                {%- for half_life in [30, 45, 60, 90] %}
                    when {{ half_life }} then origins.decayed_{{ measure }}_{{ half_life }}
                {%- endfor %}
            end as bought,
            origins.later_{{ measure }} as later
        from origins
        inner join half_lives
            on
                half_lives.measure = '{{ measure }}'
                and half_lives.is_chosen
                and origins.origin_number >= case half_lives.purpose when 'forecast' then 2 else 4 end
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

scaled as (
    select
        purpose,
        measure,
        half_life_days,
        cast(bought as {{ ratio_type() }}) as bought,
        cast(later as {{ ratio_type() }}) as later,
        0.02 * avg(cast(later as {{ ratio_type() }})) over (partition by purpose, measure) as least_distance
    from observations
),

line_0 as (
    select
        purpose,
        measure,
        half_life_days,
        intercept,
        slope
    from half_lives
    where is_chosen
),

-- The line of least squares again, weighted by one over the distance from the line before, until it runs through the
-- middle, half of the customers above it: nearly the line of the least absolute deviations. Rounded, or each
-- repetition would double the digits.
{%- for number in range(1, repetitions + 1) %}
    weighted_{{ number }} as {{ at_once() }} (
        select
            scaled.purpose,
            scaled.measure,
            scaled.half_life_days,
            scaled.bought,
            scaled.later,
            round(1 / nullif(greatest(
                abs(scaled.later - fitted.intercept - fitted.slope * scaled.bought), scaled.least_distance
            ), 0), 9) as weight
        from scaled
        inner join line_{{ number - 1 }} as fitted
            on
                scaled.purpose = fitted.purpose
                and scaled.measure = fitted.measure
    ),

    multiplied_{{ number }} as {{ at_once() }} (
        select
            purpose,
            measure,
            half_life_days,
            bought,
            later,
            weight,
            weight * bought as weighted_bought
        from weighted_{{ number }}
    ),

    sums_{{ number }} as (
        select
            purpose,
            measure,
            half_life_days,
            sum(weight) as sum_1,
            sum(weighted_bought) as sum_x,
            sum(weight * later) as sum_y,
            sum(weighted_bought * bought) as sum_xx,
            sum(weighted_bought * later) as sum_xy
        from multiplied_{{ number }}
        group by
            purpose,
            measure,
            half_life_days
    ),

    line_{{ number }} as {{ at_once() }} (
        select
            purpose,
            measure,
            half_life_days,
            round((sum_xx * sum_y - sum_x * sum_xy) / nullif(sum_1 * sum_xx - sum_x * sum_x, 0), 12) as intercept,
            round((sum_1 * sum_xy - sum_x * sum_y) / nullif(sum_1 * sum_xx - sum_x * sum_x, 0), 12) as slope
        from sums_{{ number }}
    ),
{%- endfor %}

-- what such customers bring on average is more than what the one in the middle brings
means as (
    select
        scaled.purpose,
        scaled.measure,
        count(*) as observations_count,
        max(fitted.half_life_days) as half_life_days,
        max(fitted.intercept) as intercept,
        max(fitted.slope) as slope,
        sum(scaled.later) / nullif(sum(greatest(fitted.intercept + fitted.slope * scaled.bought, 0)), 0) as mean_factor
    from scaled
    inner join line_{{ repetitions }} as fitted
        on
            scaled.purpose = fitted.purpose
            and scaled.measure = fitted.measure
    group by
        scaled.purpose,
        scaled.measure
)

select
    purpose,
    measure,
    half_life_days,
    cast(observations_count as integer) as observations_count,
    cast(intercept as numeric(24, 12)) as intercept,
    cast(slope as numeric(24, 12)) as slope,
    cast(mean_factor as numeric(24, 12)) as mean_factor
from means
