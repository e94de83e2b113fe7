-- Closing balances are what the ERP states. Failure rows: where a difference arises, account by account, with the
-- journals that fit it: one with a line of just that amount, else one that moves every account that differs; and the
-- days whose sales are not the tills'. An ERP that has stated nothing yet is no difference.
with control_totals as (
    select * from {{ ref('ledger_control_totals') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

reconciliation as (
    select * from {{ ref('sales_ledger_reconciliation') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

differences as (
    select
        control_totals.*,
        count(*) over (partition by fiscal_period) as different_accounts_count
    from control_totals
    where
        status <> 'not yet posted'
        and exists (
            select 1
            from control_totals as stated
            where stated.exported_on is not null
        )
        and (new_difference_amount <> 0 or (status <> 'tied' and difference_amount = 0))
),

posted_lines as (
    select
        journal_lines.journal_id,
        journal_lines.fiscal_period,
        accounts.account_id,
        journal_lines.net_debit_amount
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
),

exact_journals as (
    select
        differences.fiscal_period,
        min(posted_lines.journal_id) as journal_id,
        count(distinct posted_lines.journal_id) as journals_count
    from differences
    inner join posted_lines
        on
            differences.fiscal_period = posted_lines.fiscal_period
            and differences.account_id = posted_lines.account_id
            and differences.new_difference_amount = posted_lines.net_debit_amount
    group by differences.fiscal_period
),

touching as (
    select
        differences.fiscal_period,
        posted_lines.journal_id
    from differences
    inner join posted_lines
        on
            differences.fiscal_period = posted_lines.fiscal_period
            and differences.account_id = posted_lines.account_id
    group by differences.fiscal_period, posted_lines.journal_id, differences.different_accounts_count
    having count(distinct differences.account_id) = differences.different_accounts_count
),

unexplained_days as (
    select
        fiscal_period,
        min({{ as_text('business_date') }} || ' ' || department) as first_day,
        count(*) as days_count
    from reconciliation
    where status = 'unexplained'
    group by fiscal_period
),

touching_journals as (
    select
        fiscal_period,
        min(journal_id) as journal_id,
        count(*) as journals_count
    from touching
    group by fiscal_period
)

select
    differences.fiscal_period,
    differences.account_id,
    differences.new_difference_amount as amount,
    coalesce(exact_journals.journal_id, touching_journals.journal_id) as journal_id,
    'period ' || differences.fiscal_period
    || ', account ' || {{ as_text('differences.account_id') }} || ' ' || differences.account_name
    || ': ' || differences.status
    || ', movement off by ' || {{ as_text('differences.new_difference_amount') }}
    || ' (ours ' || {{ as_text('differences.closing_amount', 'none') }}
    || ', ERP ' || {{ as_text('differences.erp_closing_amount', 'none') }} || '); '
    || coalesce(
        'journal ' || exact_journals.journal_id || ' has just that amount'
        || case when exact_journals.journals_count > 1 then ', and others have' else '' end,
        'journal ' || touching_journals.journal_id || ' moves every account that differs'
        || case when touching_journals.journals_count > 1 then ', and others do' else '' end,
        'no journal fits: one may be missing'
    )
    || coalesce('; sales of ' || unexplained_days.first_day || ' are not what the tills say', '')
    || case when unexplained_days.days_count > 1 then ', and others are not' else '' end as message
from differences
left join exact_journals on differences.fiscal_period = exact_journals.fiscal_period
left join touching_journals on differences.fiscal_period = touching_journals.fiscal_period
left join unexplained_days on differences.fiscal_period = unexplained_days.fiscal_period
