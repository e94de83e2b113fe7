-- one row: one fiscal period that the (simulated) ledger or a budget covers
with dates as (
    select * from {{ ref('dim_date') }}
),

journal_lines as (
    select distinct
        fiscal_period,
        posting_date
    from {{ ref('stg_erp__journal_lines') }}
),

budgets as (
    select * from {{ ref('stg_erp__budgets') }}
),

control_totals as (
    select * from {{ area_ref('control_totals', 'stg_erp__control_totals', {'exported_on': 'date'}) }}
),

calendar as (
    select
        fiscal_period,
        fiscal_year,
        fiscal_quarter,
        fiscal_period_number,
        min(date_key) as period_start_date,
        max(date_key) as period_end_date,
        count(*) as days_count
    from dates
    group by
        fiscal_period,
        fiscal_year,
        fiscal_quarter,
        fiscal_period_number
),

mentioned as (
    select fiscal_period from journal_lines
    union distinct
    select fiscal_period from budgets
),

covered as (
    select
        min(fiscal_period) as first_period,
        max(fiscal_period) as last_period
    from mentioned
),

-- the newest period that journals say and whose dates agree: one mistyped period doesn't post the whole year
posted as (
    select max(calendar.fiscal_period) as last_posted_period
    from journal_lines
    inner join calendar
        on
            journal_lines.fiscal_period = calendar.fiscal_period
            and journal_lines.posting_date between calendar.period_start_date and calendar.period_end_date
),

exported as (
    select max(exported_on) as last_exported_on from control_totals
),

periods as (
    select
        calendar.fiscal_period,
        calendar.fiscal_year,
        calendar.fiscal_quarter,
        calendar.fiscal_period_number,
        calendar.period_start_date,
        calendar.period_end_date,
        calendar.days_count,
        cast(
            {{ dbt.dateadd('day', var('ledger_closing_day'), 'calendar.period_end_date') }} as date
        ) as closes_on,
        exported.last_exported_on,
        coalesce(calendar.fiscal_period <= posted.last_posted_period, false) as is_posted
    from calendar
    inner join covered on calendar.fiscal_period between covered.first_period and covered.last_period
    cross join posted
    cross join exported
)

select
    fiscal_period,
    fiscal_year,
    fiscal_quarter,
    fiscal_period_number as period_number,
    period_start_date,
    period_end_date,
    cast(days_count as integer) as days_count,
    lag(fiscal_period) over (order by fiscal_period asc nulls last) as prior_fiscal_period,
    closes_on,
    is_posted,
    {{ area_value('control_totals', 'is_posted and coalesce(closes_on <= last_exported_on, false)', 'boolean') }}
        as is_closed,
    case
        when not is_posted then 'not yet posted'
        when closes_on <= last_exported_on then 'closed'
        else 'open'
    end as period_status
from periods
