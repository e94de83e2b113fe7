-- Net income, and the detail lines added up, are what the journals posted to income accounts.
-- Failure rows: the period and the amounts.
{{ config(enabled=var('ledger', true)) }}
with income_lines as (
    select * from {{ ref('income_statement') }}
),

journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

statement as (
    select
        fiscal_period,
        max(case when line_code = 'net_income' then actual_amount end) as net_income_amount,
        sum(case when line_kind = 'detail' then actual_amount end) as details_amount
    from income_lines
    group by fiscal_period
),

ledger as (
    select
        journal_lines.fiscal_period,
        sum(journal_lines.credit_amount - journal_lines.debit_amount) as ledger_amount
    from journal_lines
    inner join accounts on journal_lines.account_id = accounts.account_id
    where accounts.statement_name = 'income_statement'
    group by journal_lines.fiscal_period
)

select
    periods.fiscal_period,
    statement.net_income_amount - coalesce(ledger.ledger_amount, 0) as amount,
    'period ' || periods.fiscal_period
    || ': net income ' || {{ as_text('statement.net_income_amount') }}
    || ', its lines add up to ' || {{ as_text('statement.details_amount') }}
    || ', journals say ' || {{ as_text('coalesce(ledger.ledger_amount, 0)') }} as message
from periods
left join statement on periods.fiscal_period = statement.fiscal_period
left join ledger on periods.fiscal_period = ledger.fiscal_period
where
    periods.is_posted
    and not coalesce(
        statement.net_income_amount = coalesce(ledger.ledger_amount, 0)
        and statement.details_amount = coalesce(ledger.ledger_amount, 0),
        false
    )
