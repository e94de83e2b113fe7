-- one row: one category in the baskets of one size
with category_months as (
    select * from {{ ref('int_category_months_counted') }}
)

select
    product_category,
    categories_count,
    -- bands of a tenth: small sizes stand alone, 24 to 26 are one band
    cast(round(10 * ln(cast(categories_count as {{ ratio_type() }})), 0) as integer) as size_band,
    cast(sum(baskets_count) as integer) as baskets_count
from category_months
group by
    product_category,
    categories_count
