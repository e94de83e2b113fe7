-- one row: closing balance of one account and fiscal period, ours against the (simulated) ERP's
with account_periods as (
    select * from {{ ref('int_account_periods_summed') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

control_totals as (
    select * from {{ ref('stg_erp__control_totals') }}
),

-- each export states all periods again: the newest counts, the first says what late entries changed since
ranked as (
    select
        control_totals.*,
        row_number() over (
            partition by fiscal_period, account_id order by exported_on desc nulls last, _file_id desc nulls last
        ) as newest_rank,
        row_number() over (
            partition by fiscal_period, account_id order by exported_on asc nulls last, _file_id asc nulls last
        ) as first_rank
    from control_totals
),

stated as (
    select
        fiscal_period,
        account_id,
        max(exported_on) as exported_on,
        max(case when newest_rank = 1 then closing_balance_amount end) as erp_closing_amount,
        max(case when first_rank = 1 then closing_balance_amount end) as first_erp_closing_amount
    from ranked
    group by fiscal_period, account_id
),

compared as (
    select
        coalesce(account_periods.fiscal_period, stated.fiscal_period) as fiscal_period,
        coalesce(account_periods.account_id, stated.account_id) as account_id,
        stated.exported_on,
        account_periods.closing_amount,
        stated.erp_closing_amount,
        stated.first_erp_closing_amount,
        coalesce(account_periods.closing_amount, 0) - coalesce(stated.erp_closing_amount, 0) as difference_amount
    from account_periods
    full outer join stated
        on
            account_periods.fiscal_period = stated.fiscal_period
            and account_periods.account_id = stated.account_id
),

dated as (
    select
        compared.*,
        difference_amount - coalesce(
            lag(difference_amount) over (partition by account_id order by fiscal_period asc nulls last), 0
        ) as new_difference_amount
    from compared
)

select
    dated.fiscal_period,
    dated.account_id,
    coalesce(accounts.account_name, 'Unknown account') as account_name,
    coalesce(periods.period_status, 'not yet posted') as period_status,
    dated.exported_on,
    cast(dated.closing_amount as numeric(16, 2)) as closing_amount,
    cast(dated.erp_closing_amount as numeric(16, 2)) as erp_closing_amount,
    cast(dated.difference_amount as numeric(16, 2)) as difference_amount,
    cast(dated.new_difference_amount as numeric(16, 2)) as new_difference_amount,
    cast(dated.first_erp_closing_amount as numeric(16, 2)) as first_erp_closing_amount,
    cast(dated.erp_closing_amount - dated.first_erp_closing_amount as numeric(16, 2)) as restated_amount,
    case
        when dated.closing_amount is null and dated.erp_closing_amount is null then 'not yet posted'
        when dated.closing_amount is null then 'missing in ledger'
        when dated.erp_closing_amount is null then 'missing in ERP'
        when dated.difference_amount <> 0 then 'different'
        else 'tied'
    end as status
from dated
left join accounts on dated.account_id = accounts.account_id
left join periods on dated.fiscal_period = periods.fiscal_period
