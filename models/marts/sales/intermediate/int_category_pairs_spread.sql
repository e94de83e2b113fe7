-- one row: two categories, the first by name first, with the spread of their baskets over groups of buyers
{%- set squares = [] %}
{%- for group in range(20) %}
    {%- do squares.append('deviation_%s * deviation_%s' % (group, group)) %}
{%- endfor %}
with category_months as (
    select * from {{ ref('int_category_groups_counted') }}
),

pairs as (
    select * from {{ ref('int_category_pairs_counted') }}
),

category_groups as (
    select
        product_category,
        buyer_group,
        sum(pairs_held_count) as pairs_held
    from category_months
    group by
        product_category,
        buyer_group
),

-- which part of a category's pairs is in each group of buyers, and which part of all pairs
category_shares as (
    select
        product_category,
        buyer_group,
        pairs_held / nullif(sum(pairs_held) over (partition by product_category), 0) as pairs_share
    from category_groups
),

group_shares as (
    select
        buyer_group,
        sum(pairs_held) / nullif(sum(sum(pairs_held)) over (), 0) as pairs_share
    from category_groups
    group by buyer_group
),

-- a column for each group, as the pairs have
category_columns as (
    select
        {%- for group in range(20) %}
            coalesce(max(pairs_share) filter (where buyer_group = {{ group }}), 0) as share_{{ group }},
        {%- endfor %}
        product_category
    from category_shares
    group by product_category
),

group_columns as (
    select
        {%- for group in range(20) %}
            coalesce(max(pairs_share) filter (where buyer_group = {{ group }}), 0) as share_{{ group }},
        {%- endfor %}
        count(*) as groups_count
    from group_shares
),

-- what a group holds beyond its part, as the parts of both categories in it let expect
deviations as (
    select
        {%- for group in range(20) %}
            pairs.group_{{ group }}_baskets_count - pairs.pair_baskets_count
            * (one.share_{{ group }} + other.share_{{ group }} - group_columns.share_{{ group }})
                as deviation_{{ group }},
        {%- endfor %}
        pairs.product_category,
        pairs.other_product_category,
        pairs.pair_baskets_count,
        group_columns.groups_count
    from pairs
    cross join group_columns
    inner join category_columns as one on pairs.product_category = one.product_category
    inner join category_columns as other on pairs.other_product_category = other.product_category
)

select
    product_category,
    other_product_category,
    pair_baskets_count,
    cast(
        sqrt(({{ squares | join(' + ') }}) * groups_count / nullif(groups_count - 1, 0)) as numeric(24, 12)
    ) as standard_error_baskets_count
from deviations
