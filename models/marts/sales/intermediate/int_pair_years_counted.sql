-- one row: two categories, the first by name first, that baskets of one year's closed months, or of
-- those of the years before, hold together
{{ config(partition_by={
    'field': 'year_start_date', 'granularity': 'year',
    'spans': {'table': 'int_years_closed', 'first': 'first_month_start_date', 'last': 'last_month_start_date'}
}) }}
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}

with pair_months as (
    select * from {{ ref('int_pair_months_counted') }}
),

closed_years as (
    select * from {{ ref('int_years_closed') }}
)

select
    closed_years.year_start_date,
    pair_months.product_category,
    pair_months.other_product_category,
    {%- for group in range(20) %}
        cast(sum(pair_months.group_{{ group }}_baskets_count) as integer) as group_{{ group }}_baskets_count,
    {%- endfor %}
    cast(sum(pair_months.pair_baskets_count) as integer) as pair_baskets_count
from pair_months
inner join closed_years
    on
        pair_months.month_start_date >= closed_years.first_month_start_date
        and pair_months.month_start_date <= closed_years.last_month_start_date
group by
    closed_years.year_start_date,
    pair_months.product_category,
    pair_months.other_product_category
