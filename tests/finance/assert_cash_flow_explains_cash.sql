-- The cash-flow statement's total is the change in the cash accounts, by the statement and by the balance sheet.
-- Failure rows: the period and the amounts that disagree.
with flow_lines as (
    select * from {{ ref('cash_flow_statement') }}
),

balance_lines as (
    select * from {{ ref('balance_sheet') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

flows as (
    select
        fiscal_period,
        max(case when line_code = 'net_change_in_cash' then cash_flow_amount end) as net_change_amount,
        max(case when line_code = 'change_in_cash_accounts' then cash_flow_amount end) as cash_accounts_amount,
        max(case when line_code = 'closing_cash' then cash_flow_amount end)
        - max(case when line_code = 'opening_cash' then cash_flow_amount end) as opening_to_closing_amount
    from flow_lines
    group by fiscal_period
),

balances as (
    select
        fiscal_period,
        change_amount as balance_change_amount
    from balance_lines
    where line_code = 'cash'
)

select
    periods.fiscal_period,
    flows.net_change_amount - balances.balance_change_amount as amount,
    'period ' || periods.fiscal_period
    || ': net change in cash ' || {{ as_text('flows.net_change_amount') }}
    || ', cash accounts ' || {{ as_text('flows.cash_accounts_amount') }}
    || ', closing less opening cash '
    || {{ as_text('flows.opening_to_closing_amount') }}
    || ', balance sheet ' || {{ as_text('balances.balance_change_amount') }}
        as message
from periods
left join flows on periods.fiscal_period = flows.fiscal_period
left join balances on periods.fiscal_period = balances.fiscal_period
where
    periods.is_posted
    and not coalesce(
        flows.net_change_amount = flows.cash_accounts_amount
        and flows.net_change_amount = flows.opening_to_closing_amount
        and flows.net_change_amount = balances.balance_change_amount,
        false
    )
