-- one row: one account of the (simulated) general ledger in one fiscal period
with account_periods as (
    select * from {{ ref('int_account_periods_summed') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
)

select
    account_periods.fiscal_period,
    account_periods.account_id,
    accounts.account_name,
    accounts.account_path,
    accounts.account_type,
    accounts.statement_name,
    accounts.statement_line_code,
    periods.period_status,
    account_periods.opening_amount,
    account_periods.debit_amount,
    account_periods.credit_amount,
    account_periods.movement_amount,
    account_periods.closing_amount,
    account_periods.late_entry_amount,
    account_periods.closed_period_entry_amount,
    account_periods.reversal_amount,
    account_periods.late_arrival_amount
from account_periods
inner join accounts on account_periods.account_key = accounts.account_key
inner join periods on account_periods.fiscal_period = periods.fiscal_period
