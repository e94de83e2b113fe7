-- At the end of every posted period all closing balances, and all movements, add up to zero; each account is there.
-- Failure rows: the period, the sum, and how many accounts are missing.
with ledger_rows as (
    select * from {{ ref('general_ledger') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

expected as (
    select
        periods.fiscal_period,
        accounts.account_id
    from periods
    cross join accounts
    where periods.is_posted and accounts.is_posting
),

-- a posted amount that no account of the chart takes counts, too
joined as (
    select
        coalesce(expected.fiscal_period, ledger_rows.fiscal_period) as fiscal_period,
        ledger_rows.closing_amount,
        ledger_rows.movement_amount,
        case when ledger_rows.closing_amount is null or ledger_rows.movement_amount is null then 1 else 0 end as is_missing
    from expected
    full outer join (select * from ledger_rows where period_status <> 'not yet posted') as ledger_rows
        on expected.fiscal_period = ledger_rows.fiscal_period and expected.account_id = ledger_rows.account_id
),

summed as (
    select
        fiscal_period,
        coalesce(sum(closing_amount), 0) as closing_amount,
        coalesce(sum(movement_amount), 0) as movement_amount,
        sum(is_missing) as missing_count
    from joined
    group by fiscal_period
)

select
    fiscal_period,
    closing_amount,
    movement_amount,
    'period ' || fiscal_period || ': closing balances add up to ' || cast(closing_amount as {{ dbt.type_string() }})
    || ', movements to ' || cast(movement_amount as {{ dbt.type_string() }})
    || ', accounts missing: ' || cast(missing_count as {{ dbt.type_string() }}) as message
from summed
where closing_amount <> 0 or movement_amount <> 0 or missing_count > 0
