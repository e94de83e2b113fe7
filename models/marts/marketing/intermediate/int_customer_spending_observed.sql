-- one row: one customer that has bought: since when it is known, and what it bought in the last year and its quarters
with days as (
    select * from {{ ref('int_customer_days_summed') }}
),

months as (
    select * from {{ ref('int_customer_months_summed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

aged_days as (
    select
        days.customer_id,
        {{ dbt.datediff('days.business_date', 'sales_window.as_of_date', 'day') }} as age_days,
        days.baskets_count,
        days.net_sales_amount as sales_amount
    from days
    inner join sales_window
        on
            days.business_date > {{ add_days('sales_window.as_of_date', '-365') }}
            and days.business_date <= sales_window.as_of_date
),

known_customers as (
    select
        customer_id,
        min(first_basket_date) as first_basket_date
    from months
    group by customer_id
),

spent as (
    select
        {%- for measure in ['baskets_count', 'sales_amount'] %}
            sum({{ measure }}) as year_{{ measure }},
            sum({{ measure }}) filter (where age_days < 90) as last_{{ measure }},
            sum({{ measure }}) filter (where age_days between 90 and 179) as naive_{{ measure }},
        {%- endfor %}
        customer_id
    from aged_days
    group by customer_id
)

select
    known_customers.customer_id,
    known_customers.first_basket_date,
    {%- for span in ['year', 'last', 'naive'] %}
        cast(coalesce(spent.{{ span }}_baskets_count, 0) as integer) as {{ span }}_baskets_count,
        cast(coalesce(spent.{{ span }}_sales_amount, 0) as numeric(14, 2)) as {{ span }}_sales_amount,
    {%- endfor %}
    known_customers.first_basket_date <= {{ add_days('sales_window.as_of_date', '-90') }} as is_in_holdout
from known_customers
cross join sales_window
left join spent on known_customers.customer_id = spent.customer_id
