-- one row: two categories, the first by name first, that enough baskets hold together
{%- set columns = ['pair_baskets_count'] %}
{%- for group in range(20) %}{%- do columns.append('group_%s_baskets_count' % group) %}{%- endfor %}
with pair_years as (
    select * from {{ ref('int_pair_years_counted') }}
),

pair_months as (
    select * from {{ ref('int_pair_months_counted') }}
),

closed_years as (
    select * from {{ ref('int_years_closed') }}
),

closed as (
    select coalesce(max(last_month_start_date), cast('1900-01-01' as date)) as last_month_start_date
    from closed_years
),

-- the closed months, and the one since
periods as (
    select
        product_category,
        other_product_category,
        {{ columns | join(',\n        ') }}
    from pair_years

    union all

    select
        pair_months.product_category,
        pair_months.other_product_category,
        {{ columns | join(',\n        ') }}
    from pair_months
    inner join closed on pair_months.month_start_date > closed.last_month_start_date
)

select
    product_category,
    other_product_category,
    {%- for group in range(20) %}
        cast(sum(group_{{ group }}_baskets_count) as integer) as group_{{ group }}_baskets_count,
    {%- endfor %}
    cast(sum(pair_baskets_count) as integer) as pair_baskets_count
from periods
group by
    product_category,
    other_product_category
having sum(pair_baskets_count) >= {{ var('affinity_min_baskets_count') }}
