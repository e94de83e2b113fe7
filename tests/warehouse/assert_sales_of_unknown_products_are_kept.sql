-- A line has the unknown product (key 0) exactly where no extract has its product, and every other key is of the
-- product that was sold.
{{ config(meta={'narrowed_by': 'fct_sales'}) }}
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

known_products as (
    select distinct product_id
    from products
    where product_key <> 0
)

select
    sales.basket_id,
    sales.product_id,
    sales.product_key
from sales
left join products on sales.product_key = products.product_key
left join known_products on sales.product_id = known_products.product_id
where
    (sales.product_key = 0) is distinct from (known_products.product_id is null)
    or (sales.product_key <> 0 and sales.product_id is distinct from products.product_id)
