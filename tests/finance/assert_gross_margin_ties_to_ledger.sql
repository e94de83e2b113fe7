-- Every breakdown of gross_margin has the ledger's cost of goods and the tills' net sales of each month, to the cent,
-- but for cost without sales to bear it. Failure rows: the breakdown, the month and the amounts.
with margins as (
    select * from {{ ref('gross_margin') }}
    where breakdown <> 'campaign'
),

costed_days as (
    select * from {{ ref('int_department_days_costed') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

posted as (
    select
        dates.month_start_date,
        sum(journal_lines.net_debit_amount) as cost_amount
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    inner join dates on journal_lines.posting_date = dates.date_key
    inner join sales_window on journal_lines.posting_date <= sales_window.as_of_date
    where accounts.statement_line_code = 'cost_of_goods_sold'
    group by dates.month_start_date
),

days as (
    select
        dates.month_start_date,
        sum(costed_days.net_sales_amount) as till_amount,
        sum(case when costed_days.cost_rate is null then costed_days.cost_of_goods_amount else 0 end)
            as unborne_amount
    from costed_days
    inner join dates on costed_days.business_date = dates.date_key
    inner join sales_window on costed_days.business_date <= sales_window.as_of_date
    group by dates.month_start_date
),

breakdowns as (
    select distinct breakdown from margins
),

shown as (
    select
        breakdown,
        period_start_date,
        sum(net_sales_amount) as net_sales_amount,
        round(coalesce(sum(cost_of_goods_amount), 0), 2) as cost_amount
    from margins
    group by
        breakdown,
        period_start_date
)

select
    breakdowns.breakdown,
    days.month_start_date,
    breakdowns.breakdown || ', month ' || {{ as_text('days.month_start_date') }}
    || ': cost of goods ' || {{ as_text('shown.cost_amount') }}
    || ', ledger ' || {{ as_text('posted.cost_amount', 'none') }}
    || ', of it without sales ' || {{ as_text('days.unborne_amount', 'none') }}
    || '; net sales ' || {{ as_text('shown.net_sales_amount') }}
    || ', tills ' || {{ as_text('days.till_amount') }} as message
from days
cross join breakdowns
left join posted on days.month_start_date = posted.month_start_date
left join shown
    on
        days.month_start_date = shown.period_start_date
        and breakdowns.breakdown = shown.breakdown
where
    not coalesce(
        shown.cost_amount = coalesce(posted.cost_amount, 0) - coalesce(days.unborne_amount, 0)
        and shown.net_sales_amount = days.till_amount, false
    )
    and (days.till_amount <> 0 or shown.cost_amount is not null)
