-- one row: what the tills sold of one product in one posted fiscal period, in the department that it had then
{{ config(partition_by={
    'field': 'period_start_date', 'granularity': 'day',
    'spans': {'table': 'int_periods_posted', 'first': 'period_start_date', 'last': 'period_end_date'}
}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

periods as (
    select * from {{ ref('int_periods_posted') }}
)

select
    periods.period_start_date,
    periods.fiscal_period,
    products.department,
    products.product_id,
    cast(sum(sales.units_count) as {{ var('quantity_type') }}) as units_count,
    cast(sum(sales.net_sales_amount) as numeric(16, 2)) as net_sales_amount
from sales
inner join products on sales.product_key = products.product_key
inner join dates on sales.business_date = dates.date_key
inner join periods on dates.fiscal_period = periods.fiscal_period
group by
    periods.period_start_date,
    periods.fiscal_period,
    products.department,
    products.product_id
