-- one row: one department on one business date: what the tills sold, what the ledger says the goods had cost, the rate
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with till_days as (
    select * from {{ ref('int_department_days_summed') }}
),

posted as (
    select * from {{ ref('int_goods_costs_posted') }}
)

select
    coalesce(till_days.business_date, posted.posting_date) as business_date,
    coalesce(till_days.department, posted.department) as department,
    cast(coalesce(till_days.net_sales_amount, 0) as numeric(16, 2)) as net_sales_amount,
    cast(posted.cost_of_goods_amount as numeric(16, 2)) as cost_of_goods_amount,
    cast(posted.cost_of_goods_amount / nullif(till_days.net_sales_amount, 0) as numeric(24, 16)) as cost_rate
from till_days
full outer join posted
    on
        till_days.business_date = posted.posting_date
        and till_days.department = posted.department
