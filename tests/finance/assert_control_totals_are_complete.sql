-- Every posting account and posted period stands in the comparison with the ERP. Failure rows: what is missing.
with control_totals as (
    select * from {{ ref('ledger_control_totals') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
)

select
    periods.fiscal_period,
    accounts.account_id,
    'period ' || periods.fiscal_period || ', account ' || {{ as_text('accounts.account_id') }}
    || ': not compared with the ERP' as message
from periods
cross join accounts
left join control_totals
    on periods.fiscal_period = control_totals.fiscal_period and accounts.account_id = control_totals.account_id
where
    periods.is_posted
    and accounts.is_posting
    and (control_totals.closing_amount is null or control_totals.status = 'not yet posted')
