-- one row: one product in one month, from the month of its first sale to the as-of date, months without sales included
with sales as (
    select * from {{ ref('fct_sales') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

months as (
    select
        dates.month_start_date,
        count(*) filter (where dates.date_key <= sales_window.as_of_date) as days_count,
        max(dates.date_key) > max(sales_window.as_of_date) as is_partial_month
    from dates
    cross join sales_window
    group by dates.month_start_date
    having min(dates.date_key) <= max(sales_window.as_of_date)
),

sold as (
    select
        products.product_id,
        dates.month_start_date,
        sum(sales.gross_sales_amount) as gross_sales_amount,
        sum(sales.net_sales_amount) as net_sales_amount,
        sum(sales.loyalty_discount_amount + sales.coupon_match_amount) as discount_amount,
        sum(sales.units_count) as units_count,
        count(distinct sales.basket_id) filter (where sales.line_kind = 'sale') as baskets_count,
        count(distinct customers.customer_id) filter (where {{ is_identified('customers.customer_key') }})
            as customers_count
    from sales
    inner join products on sales.product_key = products.product_key
    inner join customers on sales.customer_key = customers.customer_key
    inner join dates on sales.business_date = dates.date_key
    group by
        products.product_id,
        dates.month_start_date
),

first_sales as (
    select
        product_id,
        min(month_start_date) as first_month_start_date
    from sold
    group by product_id
),

filled as (
    select
        first_sales.product_id,
        products.department,
        products.product_category,
        products.brand,
        months.month_start_date,
        months.is_partial_month,
        months.days_count,
        {{ dbt.datediff('first_sales.first_month_start_date', 'months.month_start_date', 'month') }}
            as months_since_first_sale_count,
        coalesce(sold.gross_sales_amount, 0) as gross_sales_amount,
        coalesce(sold.net_sales_amount, 0) as net_sales_amount,
        coalesce(sold.discount_amount, 0) as discount_amount,
        coalesce(sold.units_count, 0) as units_count,
        coalesce(sold.baskets_count, 0) as baskets_count,
        coalesce(sold.customers_count, 0) as customers_count
    from first_sales
    inner join products on first_sales.product_id = products.product_id and products.is_current
    inner join months on first_sales.first_month_start_date <= months.month_start_date
    left join sold
        on
            first_sales.product_id = sold.product_id
            and months.month_start_date = sold.month_start_date
),

-- a month has two baskets of a product that is in the middle: ranks and classes are of 12 months
summed as (
    select
        filled.*,
        sum(net_sales_amount) over (series rows between 11 preceding and current row) as trailing_sales_amount,
        sum(baskets_count) over (series rows between 11 preceding and current row) as trailing_baskets_count,
        count(*) over (series rows between 11 preceding and current row) as trailing_months_count,
        sum(baskets_count) over (series rows between 2 preceding and current row) as baskets_in_3_months_count,
        lag(net_sales_amount) over series as previous_net_sales_amount,
        lag(baskets_count) over series as previous_baskets_count,
        lag(days_count) over series as previous_days_count
    from filled
    window series as (partition by product_id order by month_start_date asc nulls last)
),

-- equal sales share a rank and a place in the cumulative share: ties never depend on the order of rows
compared as (
    select
        summed.*,
        rank() over better as department_rank,
        sum(net_sales_amount) over (partition by department, month_start_date) as department_sales_amount,
        sum(trailing_sales_amount) over (partition by department, month_start_date) as department_trailing_amount,
        sum(trailing_sales_amount) over (better range between unbounded preceding and current row)
        - trailing_sales_amount * count(*) over (partition by department, month_start_date, trailing_sales_amount)
            as better_sales_amount
    from summed
    window better as (partition by department, month_start_date order by trailing_sales_amount desc nulls last)
)

select
    product_id,
    month_start_date,
    department,
    product_category,
    brand,
    is_partial_month,
    cast(months_since_first_sale_count as integer) as months_since_first_sale_count,
    cast(gross_sales_amount as numeric(14, 2)) as gross_sales_amount,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(baskets_count as integer) as baskets_count,
    cast(customers_count as integer) as customers_count,
    cast(net_sales_amount / nullif(units_count, 0) as numeric(14, 6)) as average_price_amount,
    cast(discount_amount / nullif(gross_sales_amount, 0) as numeric(12, 8)) as discount_rate,
    cast(department_rank as integer) as department_rank,
    cast(net_sales_amount / nullif(department_sales_amount, 0) as numeric(12, 8)) as department_share_rate,
    case
        when trailing_sales_amount <= 0 then 'C'
        when better_sales_amount < 0.80 * department_trailing_amount then 'A'
        when better_sales_amount < 0.95 * department_trailing_amount then 'B'
        else 'C'
    end as abc_class,
    cast(trailing_sales_amount as numeric(14, 2)) as trailing_sales_amount,
    cast(trailing_months_count as integer) as trailing_months_count,
    trailing_baskets_count < 30 as is_small_number,
    cast(previous_net_sales_amount as numeric(14, 2)) as previous_net_sales_amount,
    cast(net_sales_amount - previous_net_sales_amount as numeric(14, 2)) as net_sales_change_amount,
    cast(
        (net_sales_amount - previous_net_sales_amount) / nullif(previous_net_sales_amount, 0) as numeric(14, 6)
    ) as net_sales_change_rate,
    {{ is_beyond_chance('baskets_count', 'days_count', 'previous_baskets_count', 'previous_days_count') }}
    and not is_partial_month as is_change_beyond_chance,
    baskets_in_3_months_count = 0 as is_dormant
from compared
