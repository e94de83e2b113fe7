-- one row: one customer that buys, with what it prefers; of equals the first in the alphabet or the smallest number
with sales as (
    select * from {{ ref('fct_sales') }}
),

baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

department_sales as (
    select
        customers.customer_id,
        products.department,
        sum(sales.net_sales_amount) as net_sales_amount
    from sales
    inner join customers on sales.customer_key = customers.customer_key
    inner join products on sales.product_key = products.product_key
    where {{ is_identified('sales.customer_key') }}
    group by
        customers.customer_id,
        products.department
),

departments as (
    select
        customer_id,
        department,
        row_number() over (
            partition by customer_id order by net_sales_amount desc nulls last, department asc nulls last
        ) as place
    from department_sales
),

visits as (
    select
        customers.customer_id,
        stores.store_id,
        dates.weekday_number,
        dates.weekday_name,
        baskets.business_hour
    from baskets
    inner join customers on baskets.customer_key = customers.customer_key
    inner join stores on baskets.store_key = stores.store_key
    inner join dates on baskets.business_date = dates.date_key
    where {{ is_identified('baskets.customer_key') }}
),

favourite_stores as (
    select
        customer_id,
        store_id,
        row_number() over (partition by customer_id order by count(*) desc, store_id asc) as place
    from visits
    group by
        customer_id,
        store_id
),

favourite_weekdays as (
    select
        customer_id,
        weekday_name,
        row_number() over (partition by customer_id order by count(*) desc, weekday_number asc) as place
    from visits
    group by
        customer_id,
        weekday_number,
        weekday_name
),

favourite_hours as (
    select
        customer_id,
        business_hour,
        row_number() over (partition by customer_id order by count(*) desc, business_hour asc) as place
    from visits
    where business_hour is not null
    group by
        customer_id,
        business_hour
)

select
    departments.customer_id,
    departments.department as favourite_department,
    favourite_stores.store_id as favourite_store_id,
    favourite_weekdays.weekday_name as favourite_weekday_name,
    favourite_hours.business_hour as favourite_hour
from departments
inner join favourite_stores on departments.customer_id = favourite_stores.customer_id and favourite_stores.place = 1
inner join favourite_weekdays
    on departments.customer_id = favourite_weekdays.customer_id and favourite_weekdays.place = 1
left join favourite_hours on departments.customer_id = favourite_hours.customer_id and favourite_hours.place = 1
where departments.place = 1
