-- Debits equal credits in every journal. Failure rows: the journal, its period and how far it is off.
{{ config(enabled=var('ledger', true)) }}
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

journals as (
    select
        journal_id,
        min(fiscal_period) as fiscal_period,
        sum(coalesce(debit_amount, 0)) as debit_amount,
        sum(coalesce(credit_amount, 0)) as credit_amount
    from journal_lines
    group by journal_id
)

select
    journal_id,
    fiscal_period,
    debit_amount - credit_amount as amount,
    'journal ' || journal_id || ', period ' || coalesce(fiscal_period, 'none')
    || ': debits ' || {{ as_text('debit_amount') }}
    || ', credits ' || {{ as_text('credit_amount') }}
    || ', off by ' || {{ as_text('debit_amount - credit_amount') }} as message
from journals
where debit_amount <> credit_amount
