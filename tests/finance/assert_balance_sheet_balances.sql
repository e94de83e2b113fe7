-- Assets equal liabilities and equity at the end of every posted period. Failure rows: the period and the gap.
with balance_lines as (
    select * from {{ ref('balance_sheet') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

sides as (
    select
        periods.fiscal_period,
        max(case when balance_lines.line_code = 'total_assets' then balance_lines.closing_amount end) as assets_amount,
        max(case when balance_lines.line_code = 'total_liabilities_and_equity' then balance_lines.closing_amount end)
            as claims_amount
    from periods
    left join balance_lines on periods.fiscal_period = balance_lines.fiscal_period
    where periods.is_posted
    group by periods.fiscal_period
)

select
    fiscal_period,
    assets_amount - claims_amount as amount,
    'period ' || fiscal_period || ': assets ' || {{ as_text('assets_amount') }}
    || ', liabilities and equity ' || {{ as_text('claims_amount') }}
    || ', off by ' || {{ as_text('assets_amount - claims_amount', 'all of it') }} as message
from sides
where not coalesce(assets_amount = claims_amount, false)
