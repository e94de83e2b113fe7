-- one row: two categories, the first by name first, with the baskets that would hold both if they were unrelated
{% call set_sql_header(config) %}{{ join_as_written() }}{{ hash_to_group() }}{% endcall %}

with category_baskets as (
    select * from {{ ref('int_category_baskets_counted') }}
),

pairs as (
    select * from {{ ref('int_category_pairs_counted') }}
),

-- a basket of k categories stands in k rows, and holds k (k - 1) pairs, each in both directions
bands as (
    select
        size_band,
        sum(cast(baskets_count as {{ ratio_type() }}) / categories_count) as baskets,
        sum(cast(baskets_count as {{ ratio_type() }}) * (categories_count - 1)) as pairs_held
    from category_baskets
    group by size_band
),

shares as (
    select
        category_baskets.product_category,
        category_baskets.size_band,
        sum(category_baskets.baskets_count) / max(bands.baskets) as band_share
    from category_baskets
    inner join bands on category_baskets.size_band = bands.size_band
    group by
        category_baskets.product_category,
        category_baskets.size_band
),

-- A basket has room for k categories only: one takes a place from the others, the more so the rarer they are. `room`
-- is that correction (Hájek's, for draws of a fixed number); `pairs_expected` is the sum over all pairs with it, so
-- that in each band as many pairs are expected as there are.
rooms as (
    select
        size_band,
        sum(band_share * (1 - band_share)) as room,
        power(sum(band_share), 2) - sum(band_share * band_share) - sum(band_share * (1 - band_share)) + coalesce(
            sum(power(band_share * (1 - band_share), 2)) / nullif(sum(band_share * (1 - band_share)), 0), 0
        ) as pairs_expected
    from shares
    group by size_band
),

-- what a category brings into a pair of its band
parts as (
    select
        shares.product_category,
        shares.size_band,
        shares.band_share,
        shares.band_share * (1 - shares.band_share) as spread_share,
        shares.band_share * bands.pairs_held / nullif(rooms.pairs_expected, 0) as pairs_share,
        coalesce(
            shares.band_share * (1 - shares.band_share) * bands.pairs_held
            / nullif(rooms.room * rooms.pairs_expected, 0), 0
        ) as pairs_lost
    from shares
    inner join bands on shares.size_band = bands.size_band
    inner join rooms on shares.size_band = rooms.size_band
),

expected as (
    select
        pairs.product_category,
        pairs.other_product_category,
        sum(one.pairs_share * other.band_share - one.pairs_lost * other.spread_share) as expected_baskets
    from pairs
    inner join parts as one on pairs.product_category = one.product_category
    inner join parts as other
        on
            pairs.other_product_category = other.product_category
            and one.size_band = other.size_band
    group by
        pairs.product_category,
        pairs.other_product_category
)

select
    product_category,
    other_product_category,
    cast(expected_baskets as numeric(24, 12)) as expected_baskets_count
from expected
