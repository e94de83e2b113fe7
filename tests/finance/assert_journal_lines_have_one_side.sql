-- A journal line is either a debit or a credit, and positive. Failure rows: the line, its period and its amounts.
{{ config(enabled=var('ledger', true)) }}
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
)

select
    journal_id,
    line_number,
    fiscal_period,
    debit_amount,
    credit_amount,
    'journal ' || journal_id || ', line ' || {{ as_text('line_number') }}
    || ', period ' || coalesce(fiscal_period, 'none')
    || ': debit ' || {{ as_text('debit_amount', 'none') }}
    || ', credit ' || {{ as_text('credit_amount', 'none') }} as message
from journal_lines
where not coalesce(
    debit_amount >= 0 and credit_amount >= 0 and (debit_amount = 0 or credit_amount = 0)
    and debit_amount + credit_amount > 0,
    false
)
