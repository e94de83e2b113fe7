-- one row: two categories, the first by name first, in the baskets of one group of buyers
with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
),

category_baskets as (
    select * from {{ ref('int_category_baskets_counted') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

-- a pair can't be in more baskets than either category: rare ones go before the pairs are made. Numbers stand for
-- names, so that the pairs are joined and grouped by integers.
categories as (
    select
        product_category,
        cast(row_number() over (order by product_category asc nulls last) as integer) as category_number
    from category_baskets
    group by product_category
    having sum(baskets_count) >= {{ var('affinity_min_baskets_count') }}
),

frequent_categories as (
    select
        basket_categories.basket_id,
        basket_categories.buyer_group,
        categories.category_number
    from basket_categories
    inner join categories on basket_categories.product_category = categories.product_category
    inner join sales_window on basket_categories.business_date <= sales_window.as_of_date
),

pairs as (
    select
        one.category_number,
        other.category_number as other_category_number,
        one.buyer_group,
        count(*) as pair_baskets_count
    from frequent_categories as one
    inner join frequent_categories as other
        on
            one.basket_id = other.basket_id
            and one.category_number < other.category_number
    group by
        one.category_number,
        other.category_number,
        one.buyer_group
),

totalled as (
    select
        pairs.*,
        sum(pair_baskets_count) over (partition by category_number, other_category_number) as all_groups_count
    from pairs
)

select
    categories.product_category,
    other_categories.product_category as other_product_category,
    totalled.buyer_group,
    cast(totalled.pair_baskets_count as integer) as pair_baskets_count,
    cast(totalled.all_groups_count as integer) as all_groups_count
from totalled
inner join categories on totalled.category_number = categories.category_number
inner join categories as other_categories on totalled.other_category_number = other_categories.category_number
where totalled.all_groups_count >= {{ var('affinity_min_baskets_count') }}
