-- one row: one hour of one day of the week, in one department or in all of them
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

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

observed_dates as (
    select
        dates.date_key,
        dates.weekday_number,
        dates.weekday_name
    from dates
    inner join sales_window
        on
            dates.date_key >= sales_window.first_business_date
            and dates.date_key <= sales_window.as_of_date
),

weekdays as (
    select
        weekday_number,
        weekday_name,
        count(*) as days_count
    from observed_dates
    group by
        weekday_number,
        weekday_name
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

summed as (
    select
        observed_dates.weekday_number,
        basket_departments.business_hour,
        basket_departments.department,
        false as is_all_departments,
        count(*) filter (where basket_departments.is_sale) as baskets_count,
        sum(basket_departments.net_sales_amount) as net_sales_amount
    from basket_departments
    inner join observed_dates on basket_departments.business_date = observed_dates.date_key
    group by
        observed_dates.weekday_number,
        basket_departments.business_hour,
        basket_departments.department

    union all

    select
        observed_dates.weekday_number,
        baskets.business_hour,
        'ALL DEPARTMENTS' as department,
        true as is_all_departments,
        count(*) filter (where baskets.is_sale) as baskets_count,
        sum(baskets.net_sales_amount) as net_sales_amount
    from baskets
    inner join observed_dates on baskets.business_date = observed_dates.date_key
    group by
        observed_dates.weekday_number,
        baskets.business_hour
)

select
    summed.weekday_number,
    weekdays.weekday_name,
    summed.business_hour,
    summed.department,
    summed.is_all_departments,
    cast(weekdays.days_count as integer) as days_count,
    cast(summed.baskets_count as integer) as baskets_count,
    cast(summed.net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(summed.baskets_count / cast(weekdays.days_count as numeric) as numeric(14, 6)) as daily_baskets_count,
    cast(summed.net_sales_amount / weekdays.days_count as numeric(14, 6)) as daily_net_sales_amount,
    cast(
        summed.net_sales_amount
        / nullif(sum(summed.net_sales_amount) over (partition by summed.department), 0) as numeric(12, 8)
    ) as department_share_rate,
    summed.baskets_count < 30 as is_small_number
from summed
inner join weekdays on summed.weekday_number = weekdays.weekday_number
