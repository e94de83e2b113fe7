-- Tills and ledger agree per business date and department, or the difference has a named reason; every day is there.
-- Failure rows: the day, the department, its journals, and every part that is off.
with reconciliation as (
    select * from {{ ref('sales_ledger_reconciliation') }}
),

till_days as (
    select * from {{ ref('int_department_days_summed') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

sales_journals as (
    select
        posting_date,
        department,
        min(journal_id) as journal_id,
        count(distinct journal_id) as journals_count
    from journal_lines
    where journal_type = 'sales'
    group by posting_date, department
)

select
    coalesce(reconciliation.business_date, till_days.business_date) as business_date,
    coalesce(reconciliation.department, till_days.department) as department,
    reconciliation.fiscal_period,
    sales_journals.journal_id,
    reconciliation.difference_amount as amount,
    'period ' || coalesce(reconciliation.fiscal_period, 'none')
    || ', ' || {{ as_text('coalesce(reconciliation.business_date, till_days.business_date)') }}
    || ', ' || coalesce(reconciliation.department, till_days.department)
    || ', ' || coalesce('journal ' || sales_journals.journal_id, 'no journal')
    || case when sales_journals.journals_count > 1 then ' and others' else '' end
    || ': ledger less tills'
    {%- for measure in [
        'net_sales', 'gross_sales', 'loyalty_discount', 'coupon_match', 'manufacturer_coupon', 'customer_paid'
    ] %}
        {%- set difference = 'reconciliation.ledger_%s_amount - reconciliation.till_%s_amount' %}
        || ', {{ measure.replace('_', ' ') }} ' || {{ as_text(difference | replace('%s', measure)) }}
    {%- endfor %} as message
from reconciliation
full outer join till_days
    on
        reconciliation.business_date = till_days.business_date
        and reconciliation.department = till_days.department
left join sales_journals
    on
        reconciliation.business_date = sales_journals.posting_date
        and reconciliation.department = sales_journals.department
where
    reconciliation.business_date is null
    or reconciliation.status is null
    or reconciliation.status = 'unexplained'
    or reconciliation.till_net_sales_amount <> coalesce(till_days.net_sales_amount, 0)
