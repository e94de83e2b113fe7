-- one row: one cash line in one of the 13 weeks after what the (simulated) ledger has, and the cash at each week's end
-- noqa: disable=LT02
with sold_flows as (
    select * from {{ ref('int_cash_flows_expected') }}
),

repeated_flows as (
    select * from {{ ref('int_cash_dates_expected') }}
),

cash_rules as (
    select * from {{ ref('cash_rules') }}
),

line_days as (
    select * from {{ ref('int_line_days_posted') }}
),

ledger as (
    select
        max(posting_date) as ledger_date,
        sum(case when statement_line_code = 'cash' then net_debit_amount else 0 end) as cash_amount
    from line_days
),

first_weeks as (
    select
        ledger_date,
        cash_amount,
        cast(
            {{ dbt.date_trunc('week', dbt.dateadd('day', 1, 'ledger_date')) }} as date
        ) as first_week_start_date
    from ledger
    where ledger_date is not null
),

numbers as (
    {%- for number in range(1, 14) %}
        select {{ number }} as weeks_ahead
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

weeks as (
    select
        numbers.weeks_ahead,
        first_weeks.ledger_date,
        first_weeks.cash_amount as ledger_cash_amount,
        cast({{ dbt.dateadd('day', '7 * (numbers.weeks_ahead - 1)', 'first_weeks.first_week_start_date') }} as date)
            as week_start_date
    from first_weeks
    cross join numbers
),

flows as (
    select
        journal_type,
        due_date,
        cash_amount,
        cash_if_sales_low_amount,
        cash_if_sales_high_amount
    from sold_flows

    union all

    select
        journal_type,
        due_date,
        cash_amount,
        cash_amount as cash_if_sales_low_amount,
        cash_amount as cash_if_sales_high_amount
    from repeated_flows
),

lines as (
    select
        weeks.week_start_date,
        weeks.weeks_ahead,
        weeks.ledger_date,
        weeks.ledger_cash_amount,
        cash_rules.journal_type as line_code,
        cash_rules.line_order,
        cash_rules.line_name,
        cash_rules.rule,
        {%- for column in ['cash_amount', 'cash_if_sales_low_amount', 'cash_if_sales_high_amount'] %}
            case
                when count(flows.journal_type) = count(flows.{{ column }}) then coalesce(sum(flows.{{ column }}), 0)
            end as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from weeks
    cross join cash_rules
    left join flows
        on
            cash_rules.journal_type = flows.journal_type
            and weeks.week_start_date <= flows.due_date
            and flows.due_date < {{ dbt.dateadd('day', 7, 'weeks.week_start_date') }}
    group by
        weeks.week_start_date,
        weeks.weeks_ahead,
        weeks.ledger_date,
        weeks.ledger_cash_amount,
        cash_rules.journal_type,
        cash_rules.line_order,
        cash_rules.line_name,
        cash_rules.rule
),

closings as (
    select
        week_start_date,
        weeks_ahead,
        ledger_date,
        {%- for column in ['cash_amount', 'cash_if_sales_low_amount', 'cash_if_sales_high_amount'] %}
            case
                when sum(count(*) - count({{ column }})) over (order by week_start_date asc nulls last) = 0
                    then max(ledger_cash_amount) + sum(sum({{ column }})) over (order by week_start_date asc nulls last)
            end as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from lines
    group by
        week_start_date,
        weeks_ahead,
        ledger_date
)

{%- for source, code in [('lines', 'line_code'), ('closings', "'closing_cash'")] %}
select
    week_start_date,
    {{ code }} as line_code,
    weeks_ahead,
    ledger_date,
    {{ 'line_order' if loop.first else '900 as line_order' }},
    {{ 'line_name' if loop.first else "'Cash at the end' as line_name" }},
    {{ 'rule' if loop.first else "'sum' as rule" }},
    cast(cash_amount as numeric(16, 2)) as cash_amount,
    cast(cash_if_sales_low_amount as numeric(16, 2)) as cash_if_sales_low_amount,
    cast(cash_if_sales_high_amount as numeric(16, 2)) as cash_if_sales_high_amount
from {{ source }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
