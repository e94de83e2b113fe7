-- Coupon and fuel lines, whose quantities are points, have no units; merchandise has all of its quantity.
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
)

select
    sales.basket_id,
    sales.product_id,
    products.department,
    products.product_category,
    sales.quantity,
    sales.units_count
from sales
inner join products on sales.product_key = products.product_key
where
    (
        (
            products.department in ('FUEL', 'COUPON', 'UNKNOWN')
            or products.product_category = 'COUPON/MISC ITEMS'
        )
        and sales.units_count is distinct from 0
    )
    or (
        products.department not in ('FUEL', 'COUPON', 'UNKNOWN')
        and products.product_category <> 'COUPON/MISC ITEMS'
        and sales.units_count is distinct from sales.quantity
    )
