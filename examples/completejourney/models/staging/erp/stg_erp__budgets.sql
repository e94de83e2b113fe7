-- one row: the (simulated) budget of one account and department in one period and version
with source as (
    select * from {{ source('erp', 'budgets') }}
)

select
    version as budget_version,
    fiscal_period,
    upper(nullif(trim(department), '')) as department,
    account_id,
    amount as budget_amount,
    units as budget_units_count,
    _file_id
from source
