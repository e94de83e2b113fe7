-- one row: one category in the baskets of one size and one group of buyers in one month
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
)

select
    cast({{ dbt.date_trunc('month', 'business_date') }} as date) as month_start_date,
    product_category,
    categories_count,
    buyer_group,
    cast(count(*) as integer) as baskets_count
from basket_categories
where {{ until_as_of('business_date') }}
group by
    cast({{ dbt.date_trunc('month', 'business_date') }} as date),
    product_category,
    categories_count,
    buyer_group
