-- one row: one category and one other that baskets hold together, each pair in both directions
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

-- a basket counts a category once, however many of its products it holds
basket_categories as (
    select
        sales.basket_id,
        products.product_category
    from sales
    inner join products on sales.product_key = products.product_key
    inner join sales_window on sales.business_date <= sales_window.as_of_date
    where
        products.is_merchandise
        and products.product_category <> 'Unknown'
        and sales.line_kind = 'sale'
    group by
        sales.basket_id,
        products.product_category
),

-- numbers stand for names, so that the pairs are joined and grouped by integers
categories as (
    select
        product_category,
        count(*) as baskets_count,
        row_number() over (order by product_category asc nulls last) as category_number
    from basket_categories
    group by product_category
),

totals as (
    select count(distinct basket_id) as all_baskets_count
    from basket_categories
),

-- a pair can't be in more baskets than either category: rare ones go before the pairs are made
frequent_categories as (
    select
        basket_categories.basket_id,
        cast(categories.category_number as integer) as category_number
    from basket_categories
    inner join categories on basket_categories.product_category = categories.product_category
    where categories.baskets_count >= {{ var('affinity_min_baskets_count') }}
),

pairs as (
    select
        one.category_number,
        other.category_number as other_category_number,
        count(*) as pair_baskets_count
    from frequent_categories as one
    inner join frequent_categories as other
        on
            one.basket_id = other.basket_id
            and one.category_number < other.category_number
    group by
        one.category_number,
        other.category_number
    having count(*) >= {{ var('affinity_min_baskets_count') }}
),

directed_pairs as (
    select
        category_number,
        other_category_number,
        pair_baskets_count
    from pairs

    union all

    select
        other_category_number as category_number,
        category_number as other_category_number,
        pair_baskets_count
    from pairs
),

measured as (
    select
        categories.product_category,
        other_categories.product_category as other_product_category,
        directed_pairs.pair_baskets_count,
        categories.baskets_count,
        other_categories.baskets_count as other_baskets_count,
        totals.all_baskets_count,
        cast(directed_pairs.pair_baskets_count as numeric) as pair_baskets
    from directed_pairs
    inner join categories on directed_pairs.category_number = categories.category_number
    inner join categories as other_categories
        on directed_pairs.other_category_number = other_categories.category_number
    cross join totals
)

select
    product_category,
    other_product_category,
    cast(pair_baskets_count as integer) as pair_baskets_count,
    cast(baskets_count as integer) as baskets_count,
    cast(other_baskets_count as integer) as other_baskets_count,
    cast(all_baskets_count as integer) as all_baskets_count,
    cast(pair_baskets / all_baskets_count as numeric(12, 8)) as support_rate,
    cast(pair_baskets / baskets_count as numeric(12, 8)) as confidence_rate,
    cast(pair_baskets / other_baskets_count as numeric(12, 8)) as reverse_confidence_rate,
    cast(
        pair_baskets * all_baskets_count / (cast(baskets_count as numeric) * other_baskets_count) as numeric(14, 6)
    ) as lift
from measured
