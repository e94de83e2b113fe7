-- A journal line comes in one file, once. Failure rows: the line that came more often.
{{ config(enabled=var('ledger', true)) }}
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
)

select
    journal_id,
    line_number,
    min(fiscal_period) as fiscal_period,
    max(debit_amount + credit_amount) as amount,
    'journal ' || journal_id || ', line ' || {{ as_text('line_number') }}
    || ', period ' || {{ as_text('min(fiscal_period)', 'none') }}
    || ': came ' || {{ as_text('count(*)') }} || ' times, amount '
    || {{ as_text('max(debit_amount + credit_amount)') }} as message
from journal_lines
group by journal_id, line_number
having count(*) > 1
