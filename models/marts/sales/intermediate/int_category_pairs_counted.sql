-- one row: two categories, the first by name first, that enough baskets hold together
with pair_years as (
    select * from {{ ref('int_pair_years_counted') }}
)

select
    product_category,
    other_product_category,
    {%- for group in range(20) %}
        cast(sum(group_{{ group }}_baskets_count) as integer) as group_{{ group }}_baskets_count,
    {%- endfor %}
    cast(sum(pair_baskets_count) as integer) as pair_baskets_count
from pair_years
group by
    product_category,
    other_product_category
having sum(pair_baskets_count) >= {{ var('affinity_min_baskets_count') }}
