-- one row: what the tills sold of one product in one fiscal period, in the department that it had then
with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

dates as (
    select * from {{ ref('dim_date') }}
)

select
    dates.fiscal_period,
    products.department,
    products.product_id,
    cast(sum(sales.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(sales.net_sales_amount) as numeric(16, 2)) as net_sales_amount
from sales
inner join products on sales.product_key = products.product_key
inner join dates on sales.business_date = dates.date_key
group by
    dates.fiscal_period,
    products.department,
    products.product_id
