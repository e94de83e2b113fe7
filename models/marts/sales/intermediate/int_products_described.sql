-- one row: one product, as it is described now
-- Whoever keeps rows by month reads this and not the dimension, whose versions it would have to compare each day.
with products as (
    select * from {{ ref('dim_product') }}
)

select
    product_id,
    department,
    product_category,
    brand
from products
where is_current
