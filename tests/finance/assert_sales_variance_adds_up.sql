-- Price, volume and what can't be split are the variance; the departments are the income statement's net sales.
-- Failure rows: version, period, department and the amounts.
with variances as (
    select * from {{ ref('sales_variance') }}
),

income_lines as (
    select * from {{ ref('income_statement') }}
),

summed as (
    select
        budget_version,
        fiscal_period,
        sum(actual_net_sales_amount) as actual_amount,
        sum(variance_amount) as variance_amount,
        sum(coalesce(price_effect_amount, 0) + coalesce(volume_effect_amount, 0) + coalesce(unsplit_amount, 0))
            as split_amount
    from variances
    where period_status <> 'not yet posted'
    group by budget_version, fiscal_period
)

select
    summed.budget_version,
    summed.fiscal_period,
    'budget ' || summed.budget_version || ', period ' || summed.fiscal_period
    || ': net sales ' || {{ as_text('summed.actual_amount') }}
    || ', income statement ' || {{ as_text('income_lines.actual_amount') }}
    || '; variance ' || {{ as_text('summed.variance_amount') }}
    || ', its parts ' || {{ as_text('summed.split_amount') }} as message
from summed
left join income_lines
    on summed.fiscal_period = income_lines.fiscal_period and income_lines.line_code = 'net_sales'
where not coalesce(
    summed.actual_amount = income_lines.actual_amount and summed.variance_amount = summed.split_amount, false
)
