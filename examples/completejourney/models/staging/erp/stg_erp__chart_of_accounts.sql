-- one row: one account or heading of the (simulated) general ledger
with source as (
    select * from {{ source('erp', 'chart_of_accounts') }}
)

select
    account_id,
    trim(account_name) as account_name,
    parent_account_id,
    account_type,
    statement as statement_name,
    normal_balance,
    is_posting = 'Y' as is_posting,
    _file_id
from source
