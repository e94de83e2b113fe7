-- one row: two categories, the first by name first, that enough baskets hold together
with pair_years as (
    select * from {{ ref('int_pair_years_counted') }}
),

summed as (
    select
        product_category,
        other_product_category,
        {%- for group in range(20) %}
            sum(group_{{ group }}_baskets_count) as group_{{ group }}_baskets_count{{ ',' if not loop.last }}
        {%- endfor %}
    from pair_years
    group by
        product_category,
        other_product_category
),

totalled as (
    select
        summed.*,
        {% for group in range(20) -%}
            group_{{ group }}_baskets_count{{ ' + ' if not loop.last }}
        {%- endfor %} as pair_baskets_count
    from summed
)

select
    product_category,
    other_product_category,
    cast(pair_baskets_count as integer) as pair_baskets_count,
    {%- for group in range(20) %}
        cast(group_{{ group }}_baskets_count as integer) as group_{{ group }}_baskets_count{{ ',' if not loop.last }}
    {%- endfor %}
from totalled
where pair_baskets_count >= {{ var('affinity_min_baskets_count') }}
