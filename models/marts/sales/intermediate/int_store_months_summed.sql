-- one row: one store in one month in which it sold
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
)

select
    baskets.store_key,
    cast({{ dbt.date_trunc('month', 'baskets.business_date') }} as date) as month_start_date,
    cast(sum(baskets.gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(baskets.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(baskets.loyalty_discount_amount + baskets.coupon_match_amount) as numeric(14, 2)) as discount_amount,
    cast(sum(baskets.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(count(*) filter (where baskets.is_sale) as integer) as baskets_count,
    cast(count(distinct customers.customer_id) filter (where {{ is_identified('customers.customer_key') }}) as integer)
        as customers_count,
    cast(count(distinct baskets.business_date) as integer) as days_traded_count
from baskets
inner join customers on baskets.customer_key = customers.customer_key
where {{ until_as_of('baskets.business_date') }}
group by
    baskets.store_key,
    cast({{ dbt.date_trunc('month', 'baskets.business_date') }} as date)
