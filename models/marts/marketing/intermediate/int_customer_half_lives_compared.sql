-- one row: one half-life for a measure: how wrong the line is that is fitted with it, as of today or 90 days ago
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}

with origins as (
    select * from {{ ref('int_customer_origins_summed') }}
),

-- the 90 days after an origin must be over: today from origin 2 back, 90 days ago from origin 4 back
observations as (
    {%- for purpose, newest_origin in [('forecast', 2), ('holdout', 4)] %}
        {%- for measure in ['baskets', 'sales'] %}
            {%- for half_life in [30, 45, 60, 90] %}
                select
                    '{{ purpose }}' as purpose,
                    '{{ measure }}' as measure,
                    {{ half_life }} as half_life_days,
                    decayed_{{ measure }}_{{ half_life }} as bought,
                    later_{{ measure }} as later
                from origins
                where origin_number >= {{ newest_origin }}
                {%- if not loop.last %} union all {% endif %}
            {%- endfor %}
            {%- if not loop.last %} union all {% endif %}
        {%- endfor %}
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

sums as (
    select
        purpose,
        measure,
        half_life_days,
        cast(count(*) as {{ ratio_type() }}) as observations_count,
        sum(bought) as sum_bought,
        sum(later) as sum_later,
        sum(bought * bought) as sum_squares,
        sum(bought * later) as sum_products
    from observations
    group by
        purpose,
        measure,
        half_life_days
),

slopes as (
    select
        sums.*,
        (observations_count * sum_products - sum_bought * sum_later)
        / nullif(observations_count * sum_squares - sum_bought * sum_bought, 0) as slope
    from sums
),

lines as {{ at_once() }} (
    select
        slopes.*,
        (sum_later - slope * sum_bought) / observations_count as intercept
    from slopes
),

errors as (
    select
        observations.purpose,
        observations.measure,
        observations.half_life_days,
        max(lines.observations_count) as observations_count,
        max(lines.intercept) as intercept,
        max(lines.slope) as slope,
        avg(abs(observations.later - lines.intercept - lines.slope * observations.bought)) as mean_error
    from observations
    inner join lines
        on
            observations.purpose = lines.purpose
            and observations.measure = lines.measure
            and observations.half_life_days = lines.half_life_days
    group by
        observations.purpose,
        observations.measure,
        observations.half_life_days
)

-- of equals the shortest
select
    purpose,
    measure,
    half_life_days,
    cast(observations_count as integer) as observations_count,
    cast(intercept as numeric(24, 12)) as intercept,
    cast(slope as numeric(24, 12)) as slope,
    cast(mean_error as numeric(24, 12)) as mean_error,
    row_number() over (
        partition by purpose, measure order by mean_error asc nulls last, half_life_days asc nulls last
    ) = 1 as is_chosen
from errors
