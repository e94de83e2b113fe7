-- one row: one kind of cash flow in one of the 13 weeks after what the (simulated) ledger has
-- noqa: disable=LT02
with line_days as (
    select * from {{ ref('int_line_days_posted') }}
),

department_days as (
    select * from {{ ref('int_department_days_summed') }}
),

department_weeks as (
    select * from {{ ref('int_department_weeks_levelled') }}
),

sales_forecasts as (
    select * from {{ ref('sales_forecast') }}
),

invoices as (
    select * from {{ ref('cash_rules') }}
    where rule = 'invoices'
),

ledger as (
    select max(posting_date) as ledger_date
    from line_days
),

postings as (
    select
        line_days.*,
        ledger.ledger_date
    from line_days
    cross join ledger
),

sold as (
    select nullif(sum(department_days.net_sales_amount), 0) as net_sales_amount
    from department_days
    inner join ledger
        on department_days.business_date between
            {{ dbt.dateadd('day', -90, 'ledger.ledger_date') }} and ledger.ledger_date
),

-- from 13 weeks of the books and the tills: what of net sales comes in as cash, and what is bought for them
shares as (
    select
        sum(postings.net_debit_amount) filter (
            where postings.statement_line_code = 'cash' and postings.journal_type = 'sales'
        ) / max(sold.net_sales_amount) as cash_share,
        sum(postings.credit_amount) filter (where postings.statement_line_code = invoices.balance_line_code)
        / max(sold.net_sales_amount) as invoice_share,
        max(invoices.every_count) as days_to_pay
    from postings
    cross join sold
    cross join invoices
    where postings.posting_date > {{ dbt.dateadd('day', -91, 'postings.ledger_date') }}
),

-- weeks that the tills have and the ledger hasn't are known, the others forecast
sold_weeks as (
    select
        week_start_date,
        net_sales_amount as sales,
        net_sales_amount as sales_low,
        net_sales_amount as sales_high
    from department_weeks
    where is_all_departments

    union all

    select
        week_start_date,
        forecast_amount as sales,
        lower_80_amount as sales_low,
        upper_80_amount as sales_high
    from sales_forecasts
    where is_all_departments
),

flows as (
    -- what customers pay on the days that the ledger hasn't yet
    select
        'sales' as journal_type,
        greatest(
            sold_weeks.week_start_date, cast({{ dbt.dateadd('day', 1, 'ledger.ledger_date') }} as date)
        ) as due_date,
        {%- for end in ['', '_low', '_high'] %}
            sold_weeks.sales{{ end }} * shares.cash_share
            * least({{ dbt.datediff('ledger.ledger_date', 'sold_weeks.week_start_date', 'day') }} + 6, 7) / 7
                as cash{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sold_weeks
    cross join shares
    cross join ledger
    where sold_weeks.week_start_date > {{ dbt.dateadd('day', -6, 'ledger.ledger_date') }}

    union all

    -- what is delivered on the Monday after a week, and paid so many days later
    select
        'payment' as journal_type,
        cast({{ dbt.dateadd('day', '7 + shares.days_to_pay', 'sold_weeks.week_start_date') }} as date) as due_date,
        {%- for end in ['', '_low', '_high'] %}
            sold_weeks.sales{{ end }} * shares.invoice_share as cash{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sold_weeks
    cross join shares
    cross join ledger
    where sold_weeks.week_start_date > {{ dbt.dateadd('day', -7, 'ledger.ledger_date') }}

    union all

    -- invoices that are in the books
    select
        invoices.journal_type,
        cast({{ dbt.dateadd('day', 'invoices.every_count', 'postings.posting_date') }} as date) as due_date,
        {%- for end in ['', '_low', '_high'] %}
            postings.credit_amount as cash{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from postings
    inner join invoices on postings.statement_line_code = invoices.balance_line_code
)

select
    flows.journal_type,
    flows.due_date,
    cast(sum(flows.cash) as numeric(16, 2)) as cash_amount,
    cast(sum(flows.cash_low) as numeric(16, 2)) as cash_if_sales_low_amount,
    cast(sum(flows.cash_high) as numeric(16, 2)) as cash_if_sales_high_amount
from flows
cross join ledger
where flows.due_date > ledger.ledger_date
group by flows.journal_type, flows.due_date
