-- one row: one category in the baskets of one group of buyers in one month
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
)

-- a basket of k categories stands in k rows, and a row is in k - 1 pairs
select
    cast({{ dbt.date_trunc('month', 'business_date') }} as date) as month_start_date,
    product_category,
    buyer_group,
    cast(sum(categories_count - 1) as bigint) as pairs_held_count
from basket_categories
where {{ until_as_of('business_date') }}
group by
    cast({{ dbt.date_trunc('month', 'business_date') }} as date),
    product_category,
    buyer_group
