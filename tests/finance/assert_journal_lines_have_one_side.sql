-- A journal line is either a debit or a credit, and positive. Failure rows: the line, its period and its amounts.
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
)

select
    journal_id,
    line_number,
    fiscal_period,
    debit_amount,
    credit_amount,
    'journal ' || journal_id || ', line ' || cast(line_number as {{ dbt.type_string() }})
    || ', period ' || coalesce(fiscal_period, 'none')
    || ': debit ' || coalesce(cast(debit_amount as {{ dbt.type_string() }}), 'none')
    || ', credit ' || coalesce(cast(credit_amount as {{ dbt.type_string() }}), 'none') as message
from journal_lines
where not coalesce(
    debit_amount >= 0 and credit_amount >= 0 and (debit_amount = 0 or credit_amount = 0)
    and debit_amount + credit_amount > 0,
    false
)
