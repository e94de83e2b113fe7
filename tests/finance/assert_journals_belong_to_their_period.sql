-- A posting date lies in its fiscal period, and a journal has one posting date. Failure rows: the journal and both.
{{ config(enabled=var('ledger', true)) }}
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

journals as (
    select
        journal_id,
        min(posting_date) as first_posting_date,
        max(posting_date) as last_posting_date
    from journal_lines
    group by journal_id
)

select
    journal_lines.journal_id,
    journal_lines.line_number,
    journal_lines.fiscal_period,
    journal_lines.posting_date,
    journal_lines.debit_amount + journal_lines.credit_amount as amount,
    'journal ' || journal_lines.journal_id
    || ', line ' || {{ as_text('journal_lines.line_number') }}
    || ', period ' || coalesce(journal_lines.fiscal_period, 'none')
    || ': amount ' || {{ as_text('journal_lines.debit_amount + journal_lines.credit_amount') }}
    || ' is dated ' || {{ as_text('journal_lines.posting_date', 'nowhere') }}
    || case when journals.first_posting_date <> journals.last_posting_date then ', its journal has two' else '' end
        as message
from journal_lines
inner join journals on journal_lines.journal_id = journals.journal_id
left join dates on journal_lines.posting_date = dates.date_key
where not coalesce(
    dates.fiscal_period = journal_lines.fiscal_period and journals.first_posting_date = journals.last_posting_date,
    false
)
