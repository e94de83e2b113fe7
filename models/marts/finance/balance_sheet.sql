-- one row: one line of the (simulated) balance sheet at the end of one fiscal period
with statement_lines as (
    select * from {{ ref('int_statement_lines_summed') }}
),

lines as (
    select * from statement_lines
    where statement_name = 'balance_sheet'
),

measured as (
    select
        lines.*,
        max(case when line_code = 'total_assets' then closing_amount end) over (partition by fiscal_period)
            as total_assets_amount
    from lines
)

select
    fiscal_period,
    line_code,
    line_order,
    line_name,
    line_kind,
    period_end_date,
    period_status,
    cast(opening_amount as numeric(16, 2)) as opening_amount,
    cast(closing_amount as numeric(16, 2)) as closing_amount,
    cast(closing_amount - opening_amount as numeric(16, 2)) as change_amount,
    cast(closing_amount / nullif(total_assets_amount, 0) as numeric(18, 6)) as total_assets_rate,
    cast(late_entry_amount as numeric(16, 2)) as late_entry_amount
from measured
