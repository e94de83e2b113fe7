-- one row: one product in one month that has begun: what it sold in the eleven months before, which are closed
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month',
    'spans': {
        'table': 'int_trailing_months_closed', 'first': 'first_month_start_date', 'last': 'last_month_start_date'
    }
}) }}
{% call set_sql_header(config) %}{{ hash_to_group() }}{% endcall %}

with product_months as (
    select * from {{ ref('int_product_months_summed') }}
),

months as (
    select * from {{ ref('int_trailing_months_closed') }}
)

select
    months.month_start_date,
    product_months.product_id,
    cast(sum(product_months.net_sales_amount) as numeric(14, 2)) as earlier_sales_amount,
    cast(sum(product_months.baskets_count) as integer) as earlier_baskets_count,
    cast(coalesce(sum(product_months.baskets_count) filter (
        where product_months.month_start_date >= {{ dbt.dateadd('month', -2, 'months.month_start_date') }}
    ), 0) as integer) as baskets_in_2_months_count,
    cast(coalesce(sum(product_months.net_sales_amount) filter (
        where product_months.month_start_date = months.last_month_start_date
    ), 0) as numeric(14, 2)) as previous_net_sales_amount,
    cast(coalesce(sum(product_months.baskets_count) filter (
        where product_months.month_start_date = months.last_month_start_date
    ), 0) as integer) as previous_baskets_count
from months
inner join product_months
    on
        months.first_month_start_date <= product_months.month_start_date
        and months.last_month_start_date >= product_months.month_start_date
group by
    months.month_start_date,
    product_months.product_id
