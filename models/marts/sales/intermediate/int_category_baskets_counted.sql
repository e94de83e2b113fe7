-- one row: one category in the baskets of one size and one group of buyers
with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
)

select
    basket_categories.product_category,
    basket_categories.categories_count,
    basket_categories.buyer_group,
    -- bands of a tenth: small sizes stand alone, 24 to 26 are one band
    cast(round(10 * ln(cast(basket_categories.categories_count as numeric)), 0) as integer) as size_band,
    cast(count(*) as integer) as baskets_count
from basket_categories
inner join sales_window on basket_categories.business_date <= sales_window.as_of_date
group by
    basket_categories.product_category,
    basket_categories.categories_count,
    basket_categories.buyer_group
