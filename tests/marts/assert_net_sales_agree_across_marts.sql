-- Net sales are one figure: to the cent, in the warehouse, in marketing, in sales, and in finance for the periods that the
-- ledger has posted, but for what the reconciliation explains (a journal that has not arrived yet). A mart without rows fails.
with facts as (
    select
        dates.fiscal_period,
        sum(sales.net_sales_amount) as net_sales_amount
    from {{ ref('fct_sales') }} as sales
    inner join {{ ref('dim_date') }} as dates on sales.business_date = dates.date_key
    group by dates.fiscal_period
),

explained as (
    select
        fiscal_period,
        sum(difference_amount) as explained_amount
    from {{ ref('sales_ledger_reconciliation') }}
    where status in ('tied', 'explained')
    group by fiscal_period
),

total as (
    select sum(net_sales_amount) as net_sales_amount
    from facts
),

figures as (
    select
        'sales.sales_performance' as figure,
        total.net_sales_amount as expected_amount,
        (select sum(net_sales_amount) from {{ ref('sales_performance') }}) as actual_amount
    from total
    union all
    select
        'sales.product_performance' as figure,
        total.net_sales_amount as expected_amount,
        (select sum(net_sales_amount) from {{ ref('product_performance') }}) as actual_amount
    from total
    union all
    select
        'marketing.customer_profiles' as figure,
        total.net_sales_amount as expected_amount,
        (select sum(net_sales_amount) from {{ ref('customer_profiles') }}) as actual_amount
    from total
    union all
    select
        'finance.income_statement ' || statement.fiscal_period as figure,
        facts.net_sales_amount + explained.explained_amount as expected_amount,
        statement.actual_amount
    from {{ ref('income_statement') }} as statement
    left join facts on statement.fiscal_period = facts.fiscal_period
    left join explained on statement.fiscal_period = explained.fiscal_period
    where
        statement.line_code = 'net_sales'
        and statement.period_status <> 'not yet posted'
)

select
    figure,
    expected_amount,
    actual_amount
from figures
where expected_amount is distinct from actual_amount
