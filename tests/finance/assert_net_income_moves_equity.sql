-- Net income is the movement of retained and unappropriated earnings before distributions.
-- Failure rows: the period and the three amounts.
with income_lines as (
    select * from {{ ref('income_statement') }}
),

balance_lines as (
    select * from {{ ref('balance_sheet') }}
),

flow_lines as (
    select * from {{ ref('cash_flow_statement') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

net_income as (
    select
        fiscal_period,
        actual_amount
    from income_lines
    where line_code = 'net_income'
),

earnings as (
    select
        fiscal_period,
        sum(change_amount) as change_amount
    from balance_lines
    where line_code in ('retained_earnings', 'unappropriated_earnings')
    group by fiscal_period
),

distributions as (
    select
        fiscal_period,
        cash_flow_amount
    from flow_lines
    where line_code = 'distributions'
)

select
    periods.fiscal_period,
    net_income.actual_amount - (earnings.change_amount - distributions.cash_flow_amount) as amount,
    'period ' || periods.fiscal_period
    || ': net income ' || {{ as_text('net_income.actual_amount') }}
    || ', change in earnings ' || {{ as_text('earnings.change_amount') }}
    || ', distributions ' || {{ as_text('distributions.cash_flow_amount') }}
        as message
from periods
left join net_income on periods.fiscal_period = net_income.fiscal_period
left join earnings on periods.fiscal_period = earnings.fiscal_period
left join distributions on periods.fiscal_period = distributions.fiscal_period
where
    periods.is_posted
    and not coalesce(net_income.actual_amount = earnings.change_amount - distributions.cash_flow_amount, false)
