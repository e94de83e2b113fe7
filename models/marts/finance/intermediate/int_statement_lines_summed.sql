-- one row: one line of one (simulated) statement in one fiscal period
{%- set amounts = ['opening_amount', 'movement_amount', 'closing_amount', 'late_entry_amount', 'late_arrival_amount'] %}
with statement_lines as (
    select * from {{ ref('statement_lines') }}
),

line_accounts as (
    select * from {{ ref('int_statement_lines_expanded') }}
),

account_periods as (
    select * from {{ ref('int_account_periods_summed') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

summed as (
    select
        {%- for amount in amounts %}
            sum(line_accounts.sign * account_periods.{{ amount }}) as {{ amount }},
        {%- endfor %}
        line_accounts.statement_name,
        line_accounts.line_code,
        account_periods.fiscal_period
    from line_accounts
    inner join account_periods on line_accounts.account_key = account_periods.account_key
    group by
        line_accounts.statement_name,
        line_accounts.line_code,
        account_periods.fiscal_period
)

select
    {%- for amount in amounts %}
        cast(
            case when periods.is_posted then coalesce(summed.{{ amount }}, 0) end as numeric(16, 2)
        ) as {{ amount }},
    {%- endfor %}
    statement_lines.statement_name,
    periods.fiscal_period,
    statement_lines.line_code,
    statement_lines.line_order,
    statement_lines.line_name,
    statement_lines.line_kind,
    statement_lines.sign,
    periods.fiscal_year,
    periods.period_end_date,
    periods.period_status,
    periods.is_posted
from statement_lines
cross join periods
left join summed
    on
        statement_lines.statement_name = summed.statement_name
        and statement_lines.line_code = summed.line_code
        and periods.fiscal_period = summed.fiscal_period
