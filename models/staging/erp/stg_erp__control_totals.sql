-- one row: closing balance of one account and period, as the (simulated) ERP states it
with source as (
    select * from {{ source('erp', 'control_totals') }}
)

select
    fiscal_period,
    account_id,
    {{ decimal_comma('closing_balance') }} as closing_balance_amount,
    _file_id
from source
