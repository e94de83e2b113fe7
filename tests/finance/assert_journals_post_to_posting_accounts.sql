-- Journals post to accounts that take postings and that the chart has, or had when they were posted (dim_account keeps
-- them). Failure rows: the journal, the account and the amount.
{{ config(enabled=var('ledger', true)) }}
with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
)

select
    journal_lines.journal_id,
    journal_lines.fiscal_period,
    journal_lines.account_id,
    journal_lines.debit_amount - journal_lines.credit_amount as amount,
    'journal ' || journal_lines.journal_id || ', period ' || coalesce(journal_lines.fiscal_period, 'none')
    || ': amount ' || {{ as_text('journal_lines.debit_amount - journal_lines.credit_amount') }}
    || ' is posted to account ' || {{ as_text('journal_lines.account_id', 'none') }}
    || case
        when accounts.account_id is null then ', which the chart does not have'
        else ' (' || accounts.account_name || '), which is a heading'
    end as message
from journal_lines
left join accounts on journal_lines.account_id = accounts.account_id and accounts.account_key <> 0
where not coalesce(accounts.is_posting, false)
