-- Net sales of the income statement and of budget_vs_actual are the tills', but for differences the reconciliation
-- explains. Failure rows: the period and the amounts.
with income_lines as (
    select * from {{ ref('income_statement') }}
),

budget_lines as (
    select * from {{ ref('budget_vs_actual') }}
),

sales as (
    select * from {{ ref('fct_sales') }}
),

reconciliation as (
    select * from {{ ref('sales_ledger_reconciliation') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

statement as (
    select
        fiscal_period,
        actual_amount as statement_amount
    from income_lines
    where line_code = 'net_sales'
),

versions as (
    select
        fiscal_period,
        budget_version,
        sum(case account_type when 'revenue' then actual_amount else -actual_amount end) as version_amount
    from budget_lines
    where account_type in ('revenue', 'contra_revenue')
    group by fiscal_period, budget_version
),

budgeted as (
    select
        fiscal_period,
        min(version_amount) as least_amount,
        max(version_amount) as most_amount
    from versions
    group by fiscal_period
),

tills as (
    select
        dates.fiscal_period,
        sum(sales.net_sales_amount) as till_amount
    from sales
    inner join dates on sales.business_date = dates.date_key
    group by dates.fiscal_period
),

explained as (
    select
        fiscal_period,
        sum(difference_amount) as explained_amount
    from reconciliation
    group by fiscal_period
)

select
    periods.fiscal_period,
    'period ' || periods.fiscal_period
    || ': tills ' || {{ as_text('tills.till_amount', 'none') }}
    || ', explained ' || {{ as_text('explained.explained_amount', 'none') }}
    || ', income statement ' || {{ as_text('statement.statement_amount') }}
    || ', budget_vs_actual ' || {{ as_text('budgeted.most_amount') }} as message
from periods
left join tills on periods.fiscal_period = tills.fiscal_period
left join explained on periods.fiscal_period = explained.fiscal_period
left join statement on periods.fiscal_period = statement.fiscal_period
left join budgeted on periods.fiscal_period = budgeted.fiscal_period
where
    periods.is_posted
    and not coalesce(
        statement.statement_amount = coalesce(tills.till_amount, 0) + coalesce(explained.explained_amount, 0)
        and coalesce(budgeted.least_amount, statement.statement_amount) = statement.statement_amount
        and coalesce(budgeted.most_amount, statement.statement_amount) = statement.statement_amount,
        false
    )
