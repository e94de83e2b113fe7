-- one row: two categories, the first by name first, that baskets of one month hold together
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month',
    'spans': {'table': 'int_affinity_months_listed', 'first': 'first_date', 'last': 'last_date'}
}) }}

with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
),

months as (
    select * from {{ ref('int_affinity_months_listed') }}
),

-- numbers stand for names, so that the pairs are joined and grouped by integers
categories as (
    select
        product_category,
        cast(row_number() over (order by product_category asc nulls last) as integer) as category_number
    from basket_categories
    group by product_category
),

numbered as (
    select
        basket_categories.basket_id,
        basket_categories.buyer_group,
        months.month_start_date,
        categories.category_number
    from basket_categories
    inner join categories on basket_categories.product_category = categories.product_category
    inner join months
        on
            cast({{ dbt.date_trunc('month', 'basket_categories.business_date') }} as date) = months.month_start_date
            and basket_categories.business_date <= months.last_date
),

-- a basket's lines are all of one day
pairs as (
    select
        one.month_start_date,
        one.category_number,
        other.category_number as other_category_number,
        {%- for group in range(20) %}
            count(*) filter (where one.buyer_group = {{ group }}) as group_{{ group }}_baskets_count,
        {%- endfor %}
        count(*) as pair_baskets_count
    from numbered as one
    inner join numbered as other
        on
            one.basket_id = other.basket_id
            and one.category_number < other.category_number
    group by
        one.month_start_date,
        one.category_number,
        other.category_number
)

select
    pairs.month_start_date,
    categories.product_category,
    other_categories.product_category as other_product_category,
    {%- for group in range(20) %}
        cast(pairs.group_{{ group }}_baskets_count as integer) as group_{{ group }}_baskets_count,
    {%- endfor %}
    cast(pairs.pair_baskets_count as integer) as pair_baskets_count
from pairs
inner join categories on pairs.category_number = categories.category_number
inner join categories as other_categories on pairs.other_category_number = other_categories.category_number
