-- one row: two categories, the first by name first, with the spread of their baskets over groups of buyers
with category_baskets as (
    select * from {{ ref('int_category_baskets_counted') }}
),

pairs as (
    select * from {{ ref('int_category_pairs_counted') }}
),

-- a basket of k categories stands in k rows, and a row is in k - 1 pairs
category_groups as (
    select
        product_category,
        buyer_group,
        sum(cast(baskets_count as numeric) * (categories_count - 1)) as pairs_held
    from category_baskets
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

-- what a group holds beyond its part, as the parts of both categories in it let expect
deviations as (
    select
        pairs.product_category,
        pairs.other_product_category,
        pairs.pair_baskets_count,
        case group_shares.buyer_group
            {%- for group in range(20) %}
                when {{ group }} then pairs.group_{{ group }}_baskets_count
            {%- endfor %}
        end - pairs.pair_baskets_count
        * (coalesce(one.pairs_share, 0) + coalesce(other.pairs_share, 0) - group_shares.pairs_share) as deviation
    from pairs
    cross join group_shares
    left join category_shares as one
        on
            pairs.product_category = one.product_category
            and group_shares.buyer_group = one.buyer_group
    left join category_shares as other
        on
            pairs.other_product_category = other.product_category
            and group_shares.buyer_group = other.buyer_group
)

select
    product_category,
    other_product_category,
    cast(max(pair_baskets_count) as integer) as pair_baskets_count,
    cast(
        sqrt(sum(deviation * deviation) * count(*) / nullif(count(*) - 1, 0)) as numeric(24, 12)
    ) as standard_error_baskets_count
from deviations
group by
    product_category,
    other_product_category
