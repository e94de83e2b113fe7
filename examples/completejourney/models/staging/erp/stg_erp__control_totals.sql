-- one row: closing balance of one account and period, as the (simulated) ERP states it in one export
with source as (
    select * from {{ source('erp', 'control_totals') }}
)

select
    exported_on,
    fiscal_period,
    account_id,
    closing_balance as closing_balance_amount,
    _file_id
from source
