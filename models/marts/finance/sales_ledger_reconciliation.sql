-- one row: sales of one department on one business date, the tills against the (simulated) ledger
{%- set measures = ['gross_sales', 'loyalty_discount', 'coupon_match', 'net_sales', 'manufacturer_coupon',
    'customer_paid'] %}
{%- set total_columns = {'fiscal_period': 'text', 'status': 'text', 'exported_on': 'date'} %}
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}) }}

with till_days as (
    select * from {{ ref('int_department_days_summed') }}
),

ledger_days as (
    select * from {{ ref('int_ledger_days_summed') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

control_totals as (
    select * from {{ area_ref('control_totals', 'ledger_control_totals', total_columns) }}
),

-- of periods that the ERP states: whether the ledger has what it says; what is missing then is missing in the ERP, too
stated_periods as (
    select
        fiscal_period,
        max(case when status = 'tied' then 0 else 1 end) = 0 as is_complete
    from control_totals
    group by fiscal_period
    having count(exported_on) > 0
),

paired as (
    select
        {%- for measure in measures %}
            coalesce(till_days.{{ measure }}_amount, 0) as till_{{ measure }}_amount,
            coalesce(ledger_days.{{ measure }}_amount, 0) as ledger_{{ measure }}_amount,
        {%- endfor %}
        coalesce(till_days.business_date, ledger_days.posting_date) as business_date,
        coalesce(till_days.department, ledger_days.department) as department,
        coalesce(ledger_days.journals_count, 0) as journals_count,
        coalesce(ledger_days.has_late_entry, false) as has_late_entry,
        coalesce(ledger_days.has_reversal, false) as has_reversal,
        coalesce(ledger_days.period_end_net_sales_amount, 0) as period_end_net_sales_amount
    from till_days
    full outer join ledger_days
        on till_days.business_date = ledger_days.posting_date and till_days.department = ledger_days.department
),

compared as (
    select
        paired.*,
        0
        {%- for measure in measures if measure != 'net_sales' %}
            + abs(ledger_{{ measure }}_amount - till_{{ measure }}_amount)
        {%- endfor %} as absolute_difference_amount,
        0
        {%- for measure in measures if measure != 'net_sales' %}
            + abs(ledger_{{ measure }}_amount - 2 * till_{{ measure }}_amount)
        {%- endfor %} = 0 and journals_count = 2 as is_doubled,
        journals_count = 0 and not has_reversal as is_missing
    from paired
),

dated as (
    select
        compared.*,
        dates.fiscal_period,
        coalesce(periods.period_status, 'not yet posted') as period_status,
        stated_periods.is_complete
    from compared
    inner join dates on compared.business_date = dates.date_key
    left join periods on dates.fiscal_period = periods.fiscal_period
    left join stated_periods on dates.fiscal_period = stated_periods.fiscal_period
),

explained as (
    select
        dated.*,
        case
            when period_status = 'not yet posted' then 'not yet posted'
            when absolute_difference_amount = 0 and has_late_entry then 'late entry'
            when absolute_difference_amount = 0 and has_reversal then 'reversal'
            when absolute_difference_amount = 0 then 'none'
            when not (is_missing or is_doubled) or not is_complete then 'unexplained'
            when is_complete is null then 'not determinable'
            when is_missing then 'not yet posted'
            else 'posted twice'
        end as reason
    from dated
)

select
    business_date,
    department,
    fiscal_period,
    period_status,
    {%- for measure in measures %}
        cast(till_{{ measure }}_amount as numeric(16, 2)) as till_{{ measure }}_amount,
        cast(ledger_{{ measure }}_amount as numeric(16, 2)) as ledger_{{ measure }}_amount,
    {%- endfor %}
    cast(ledger_net_sales_amount - till_net_sales_amount as numeric(16, 2)) as difference_amount,
    cast(absolute_difference_amount as numeric(16, 2)) as absolute_difference_amount,
    cast(period_end_net_sales_amount - till_net_sales_amount as numeric(16, 2)) as period_end_difference_amount,
    cast(journals_count as integer) as journals_count,
    reason,
    case
        when period_status = 'not yet posted' then 'not yet posted'
        when reason in ('unexplained', 'not determinable') then reason
        when absolute_difference_amount = 0 then 'tied'
        else 'explained'
    end as status
from explained
