-- one row: one customer and measure from one origin, by the line of a purpose: what was predicted, and what came
with origins as (
    select * from {{ ref('int_customer_origins_summed') }}
),

fitted_lines as (
    select * from {{ ref('int_customer_lines_fitted') }}
),

-- each line is asked from the origins that it was fitted on, and from the newest: origin 0 today, 2 for the holdout
asked as (
    {%- for measure in ['baskets', 'sales'] %}
        select
            fitted_lines.purpose,
            fitted_lines.measure,
            origins.customer_id,
            origins.origin_number,
            fitted_lines.intercept,
            fitted_lines.slope,
            fitted_lines.mean_factor,
            case fitted_lines.half_life_days
                {%- for half_life in [30, 45, 60, 90] %}
                    when {{ half_life }} then origins.decayed_{{ measure }}_{{ half_life }}
                {%- endfor %}
            end as bought,
            origins.later_{{ measure }} as later
        from origins
        inner join fitted_lines
            on
                fitted_lines.measure = '{{ measure }}'
                and (
                    (fitted_lines.purpose = 'forecast' and origins.origin_number <> 1)
                    or (fitted_lines.purpose = 'holdout' and origins.origin_number not in (0, 1, 3))
                )
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

-- rounded before it is scaled: on Spark a product of three such numbers has room for two digits before the point
told as (
    select
        asked.*,
        cast(case when slope is not null then greatest(intercept + slope * bought, 0) end as numeric(24, 12)) as typical
    from asked
)

select
    purpose,
    measure,
    customer_id,
    origin_number,
    (purpose = 'forecast' and origin_number >= 2) or (purpose = 'holdout' and origin_number >= 4) as is_fitted,
    typical,
    cast(typical * mean_factor as numeric(24, 12)) as expected,
    later,
    cast(
        least(floor(10 * percent_rank() over (
            partition by purpose, measure, origin_number order by bought asc nulls last
        )), 9) as integer
    ) as tenth
from told
