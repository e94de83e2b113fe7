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

posted_rows as (
    select * from ledger_rows
    where period_status <> 'not yet posted'
),

-- a posted amount that no account of the chart takes counts, too
joined as (
    select
        coalesce(expected.fiscal_period, posted_rows.fiscal_period) as fiscal_period,
        posted_rows.closing_amount,
        posted_rows.movement_amount,
        case when posted_rows.closing_amount is null or posted_rows.movement_amount is null then 1 else 0 end
            as is_missing
    from expected
    full outer join posted_rows
        on expected.fiscal_period = posted_rows.fiscal_period and expected.account_id = posted_rows.account_id
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
    'period ' || fiscal_period || ': closing balances add up to ' || {{ as_text('closing_amount') }}
    || ', movements to ' || {{ as_text('movement_amount') }}
    || ', accounts missing: ' || {{ as_text('missing_count') }} as message
from summed
where closing_amount <> 0 or movement_amount <> 0 or missing_count > 0
