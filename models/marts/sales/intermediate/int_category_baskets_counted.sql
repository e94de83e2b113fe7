-- one row: one category in the baskets of one size and one group of buyers
with category_years as (
    select * from {{ ref('int_category_years_counted') }}
)

select
    product_category,
    categories_count,
    buyer_group,
    -- bands of a tenth: small sizes stand alone, 24 to 26 are one band
    cast(round(10 * ln(cast(categories_count as numeric)), 0) as integer) as size_band,
    cast(sum(baskets_count) as integer) as baskets_count
from category_years
group by
    product_category,
    categories_count,
    buyer_group
