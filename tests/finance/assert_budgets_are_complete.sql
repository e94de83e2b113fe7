-- budget_vs_actual holds every budget, in every version, to the cent, and the newest one is the statements' budget.
-- Failure rows: version and period.
{{ config(enabled=var('ledger', true)) }}
with budgets as (
    select * from {{ ref('stg_erp__budgets') }}
),

budget_lines as (
    select * from {{ ref('budget_vs_actual') }}
),

income_lines as (
    select * from {{ ref('income_statement') }}
),

delivered as (
    select
        budget_version,
        fiscal_period,
        sum(budget_amount) as delivered_amount
    from budgets
    group by budget_version, fiscal_period
),

shown as (
    select
        budget_version,
        fiscal_period,
        sum(budget_amount) as shown_amount,
        sum(case account_type when 'revenue' then budget_amount else -budget_amount end) as net_income_amount
    from budget_lines
    group by budget_version, fiscal_period
),

statement as (
    select
        fiscal_period,
        budget_version,
        budget_amount
    from income_lines
    where line_code = 'net_income'
)

select
    delivered.budget_version,
    delivered.fiscal_period,
    'budget ' || delivered.budget_version || ', period ' || delivered.fiscal_period
    || ': delivered ' || {{ as_text('delivered.delivered_amount') }}
    || ', budget_vs_actual ' || {{ as_text('shown.shown_amount') }}
    || '; its net income ' || {{ as_text('shown.net_income_amount') }}
    || ', income statement ' || {{ as_text('statement.budget_amount', 'another version') }}
        as message
from delivered
left join shown
    on delivered.budget_version = shown.budget_version and delivered.fiscal_period = shown.fiscal_period
left join statement
    on delivered.budget_version = statement.budget_version and delivered.fiscal_period = statement.fiscal_period
where
    not coalesce(delivered.delivered_amount = shown.shown_amount, false)
    or coalesce(statement.budget_amount <> shown.net_income_amount, false)
