-- one row: one category in the baskets of one size and one group of buyers in one year
{{ config(partition_by={'field': 'year_start_date', 'granularity': 'year'}) }}

with category_months as (
    select * from {{ ref('int_category_months_counted') }}
)

select
    cast({{ dbt.date_trunc('year', 'month_start_date') }} as date) as year_start_date,
    product_category,
    categories_count,
    buyer_group,
    cast(sum(baskets_count) as integer) as baskets_count
from category_months
group by
    cast({{ dbt.date_trunc('year', 'month_start_date') }} as date),
    product_category,
    categories_count,
    buyer_group
