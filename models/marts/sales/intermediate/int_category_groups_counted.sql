-- one row: one category in the baskets of one group of buyers in one month
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

-- a basket of k categories stands in k rows, and a row is in k - 1 pairs
select
    months.month_start_date,
    basket_categories.product_category,
    basket_categories.buyer_group,
    cast(sum(basket_categories.categories_count - 1) as bigint) as pairs_held_count
from basket_categories
inner join months
    on
        cast({{ dbt.date_trunc('month', 'basket_categories.business_date') }} as date) = months.month_start_date
        and basket_categories.business_date <= months.last_date
group by
    months.month_start_date,
    basket_categories.product_category,
    basket_categories.buyer_group
