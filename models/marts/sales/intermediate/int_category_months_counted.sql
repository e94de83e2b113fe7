-- one row: one category in the baskets of one size in one month
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month',
    'spans': {'table': 'int_affinity_months_listed', 'first': 'first_date', 'last': 'last_date'}
}) }}

with basket_categories as (
    select * from {{ ref('int_basket_categories_listed') }}
),

months as (
    select * from {{ ref('int_affinity_months_listed') }}
)

select
    months.month_start_date,
    basket_categories.product_category,
    basket_categories.categories_count,
    cast(count(*) as integer) as baskets_count
from basket_categories
inner join months
    on
        cast({{ dbt.date_trunc('month', 'basket_categories.business_date') }} as date) = months.month_start_date
        and basket_categories.business_date <= months.last_date
group by
    months.month_start_date,
    basket_categories.product_category,
    basket_categories.categories_count
