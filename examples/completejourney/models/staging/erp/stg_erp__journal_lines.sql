-- one row: one line of one (simulated) journal
with source as (
    select * from {{ source('erp', 'journal_lines') }}
)

select
    journal_id,
    line_number,
    journal_type,
    posting_date,
    entry_date,
    fiscal_period,
    account_id,
    upper(nullif(trim(department), '')) as department,
    trim(description) as description,
    debit_amount,
    credit_amount,
    nullif(trim(reverses_journal_id), '') as reverses_journal_id,
    _file_id
from source
