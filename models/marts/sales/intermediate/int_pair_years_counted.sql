-- one row: two categories, the first by name first, that baskets of one year hold together
{{ config(partition_by={'field': 'year_start_date', 'granularity': 'year'}) }}
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}

with pair_months as (
    select * from {{ ref('int_pair_months_counted') }}
)

select
    cast({{ dbt.date_trunc('year', 'month_start_date') }} as date) as year_start_date,
    product_category,
    other_product_category,
    {%- for group in range(20) %}
        cast(sum(group_{{ group }}_baskets_count) as integer) as group_{{ group }}_baskets_count,
    {%- endfor %}
    cast(sum(pair_baskets_count) as integer) as pair_baskets_count
from pair_months
group by
    cast({{ dbt.date_trunc('year', 'month_start_date') }} as date),
    product_category,
    other_product_category
