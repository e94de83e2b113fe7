-- one row: one basket and one category of merchandise that was sold in it
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}, indexes=[{'columns': ['business_date']}]) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

-- a basket counts a category once, however many of its products it holds
basket_categories as (
    select
        sales.basket_id,
        sales.business_date,
        sales.customer_key,
        products.product_category
    from sales
    inner join products on sales.product_key = products.product_key
    where
        products.is_merchandise
        and products.product_category <> 'Unknown'
        and sales.line_kind = 'sale'
    group by
        sales.basket_id,
        sales.business_date,
        sales.customer_key,
        products.product_category
),

-- 20 groups, drawn by a hash of the buyer: all baskets of a customer are in one; where nobody is known, each basket is
-- its own
baskets as (
    select
        basket_categories.basket_id,
        count(*) as categories_count,
        mod(
            case
                when {{ is_identified('max(basket_categories.customer_key)') }}
                    then {{ surrogate_key(['max(customers.customer_id)']) }}
                else {{ surrogate_key(['basket_categories.basket_id']) }}
            end, 20
        ) as signed_group
    from basket_categories
    left join customers on basket_categories.customer_key = customers.customer_key
    group by basket_categories.basket_id
)

select
    basket_categories.business_date,
    basket_categories.basket_id,
    basket_categories.product_category,
    cast(baskets.categories_count as integer) as categories_count,
    cast(mod(baskets.signed_group + 20, 20) as integer) as buyer_group
from basket_categories
inner join baskets on basket_categories.basket_id = baskets.basket_id
{{ in_order_of('basket_categories.business_date') }}
