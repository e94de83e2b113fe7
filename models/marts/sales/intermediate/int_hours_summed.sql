-- one row: one hour of one day of the week in one month, in one department or in all of them
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with sales as (
    select * from {{ ref('fct_sales') }}
    where business_hour is not null
),

products as (
    select * from {{ ref('dim_product') }}
),

baskets as (
    select * from {{ ref('fct_baskets') }}
    where business_hour is not null
),

dates as (
    select * from {{ ref('dim_date') }}
),

-- one row per basket and department, so that baskets are counted without sorting every line
basket_departments as (
    select
        sales.basket_id,
        sales.business_date,
        sales.business_hour,
        products.department,
        count(*) filter (where sales.line_kind = 'sale') > 0 as is_sale,
        sum(sales.net_sales_amount) as net_sales_amount
    from sales
    inner join products on sales.product_key = products.product_key
    group by
        sales.basket_id,
        sales.business_date,
        sales.business_hour,
        products.department
),

listed as (
    select
        department,
        false as is_all_departments,
        business_date,
        business_hour,
        is_sale,
        net_sales_amount
    from basket_departments

    union all

    select
        'ALL DEPARTMENTS' as department,
        true as is_all_departments,
        business_date,
        business_hour,
        is_sale,
        net_sales_amount
    from baskets
)

select
    dates.month_start_date,
    dates.weekday_number,
    listed.business_hour,
    listed.department,
    listed.is_all_departments,
    cast(count(*) filter (where listed.is_sale) as integer) as baskets_count,
    cast(sum(listed.net_sales_amount) as numeric(14, 2)) as net_sales_amount
from listed
inner join dates on listed.business_date = dates.date_key
where {{ until_as_of('listed.business_date') }}
group by
    dates.month_start_date,
    dates.weekday_number,
    listed.business_hour,
    listed.department,
    listed.is_all_departments
