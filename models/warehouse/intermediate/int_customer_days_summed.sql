-- one row: what one customer bought on one business date, up to the as-of date
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
)

select
    baskets.business_date,
    customers.customer_id,
    cast(count(*) filter (where baskets.is_sale) as integer) as baskets_count,
    cast(count(*) filter (where baskets.manufacturer_coupon_amount > 0) as integer) as coupon_baskets_count,
    cast(sum(baskets.gross_sales_amount) as numeric(14, 2)) as gross_sales_amount,
    cast(sum(baskets.loyalty_discount_amount + baskets.coupon_match_amount) as numeric(14, 2)) as discount_amount,
    cast(sum(baskets.net_sales_amount) as numeric(14, 2)) as net_sales_amount
from baskets
inner join customers on baskets.customer_key = customers.customer_key
where
    {{ is_identified('baskets.customer_key') }}
    and baskets.business_date <= {{ date_or('as_of_date', "'9999-12-31'") }}
group by
    baskets.business_date,
    customers.customer_id
