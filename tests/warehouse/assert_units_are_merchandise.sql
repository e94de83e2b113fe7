-- What the seed non_merchandise names, what no list knows and what the till cancelled has no units; the rest has all of
-- its quantity.
{{ config(meta={'narrowed_by': 'fct_sales'}) }}
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

non_merchandise as (
    select * from {{ ref('non_merchandise') }}
),

compared as (
    select
        sales.basket_id,
        sales.product_id,
        products.department,
        products.product_category,
        sales.quantity,
        sales.units_count,
        sales.line_kind = 'void' or products.department = 'UNKNOWN' or exists (
            select 1
            from non_merchandise
            where
                non_merchandise.department in ('*', products.department)
                and non_merchandise.product_category in ('*', products.product_category)
        ) as has_no_units
    from sales
    inner join products on sales.product_key = products.product_key
)

select
    basket_id,
    product_id,
    department,
    product_category,
    quantity,
    units_count
from compared
where units_count is distinct from case when has_no_units then 0 else quantity end
