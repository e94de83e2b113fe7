-- one row: what one customer bought in one department in one year's closed months, or those of the years before
{{ config(partition_by={
    'field': 'year_start_date', 'granularity': 'year',
    'spans': {'table': 'int_years_closed', 'first': 'first_month_start_date', 'last': 'last_month_start_date'}
}) }}

with department_months as (
    select * from {{ ref('int_customer_departments_summed') }}
),

closed_years as (
    select * from {{ ref('int_years_closed') }}
)

select
    closed_years.year_start_date,
    department_months.customer_id,
    department_months.department,
    cast(sum(department_months.net_sales_amount) as numeric(14, 2)) as net_sales_amount,
    cast(sum(department_months.merchandise_sales_amount) as numeric(14, 2)) as merchandise_sales_amount,
    cast(sum(department_months.private_sales_amount) as numeric(14, 2)) as private_sales_amount,
    cast(sum(department_months.branded_lines_count) as integer) as branded_lines_count
from department_months
inner join closed_years
    on
        department_months.month_start_date >= closed_years.first_month_start_date
        and department_months.month_start_date <= closed_years.last_month_start_date
group by
    closed_years.year_start_date,
    department_months.customer_id,
    department_months.department
