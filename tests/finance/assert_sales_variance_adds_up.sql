-- Price, mix, volume and what can't be split are the variance; products add up to their department; departments are the
-- income statement's net sales. Failure rows: comparison, period, department if it is one's, and the amounts.
with variances as (
    select * from {{ ref('sales_variance') }}
),

product_variances as (
    select * from {{ ref('product_sales_variance') }}
),

income_lines as (
    select * from {{ ref('income_statement') }}
),

by_product as (
    select
        comparison,
        fiscal_period,
        department,
        sum(price_effect_amount) as price_amount,
        sum(mix_effect_amount) as mix_amount,
        sum(volume_effect_amount) as volume_amount,
        sum(
            variance_amount - coalesce(price_effect_amount + mix_effect_amount + volume_effect_amount, unsplit_amount)
        ) as lost_amount
    from product_variances
    group by
        comparison,
        fiscal_period,
        department
),

summed as (
    select
        comparison,
        fiscal_period,
        sum(actual_net_sales_amount) as actual_amount
    from variances
    where period_status <> 'not yet posted'
    group by
        comparison,
        fiscal_period
)

select
    variances.comparison,
    variances.fiscal_period,
    variances.comparison || ', period ' || variances.fiscal_period || ', ' || variances.department
    || ': variance ' || {{ as_text('variances.variance_amount') }}
    || ', price ' || {{ as_text('variances.price_effect_amount', 'none') }}
    || ', mix ' || {{ as_text('variances.mix_effect_amount', 'none') }}
    || ', volume ' || {{ as_text('variances.volume_effect_amount', 'none') }}
    || ', unsplit ' || {{ as_text('variances.unsplit_amount', 'none') }}
    || '; its products: price ' || {{ as_text('by_product.price_amount', 'none') }}
    || ', mix ' || {{ as_text('by_product.mix_amount', 'none') }}
    || ', volume ' || {{ as_text('by_product.volume_amount', 'none') }}
    || ', lost ' || {{ as_text('by_product.lost_amount', 'none') }} as message
from variances
left join by_product
    on
        variances.comparison = by_product.comparison
        and variances.fiscal_period = by_product.fiscal_period
        and variances.department = by_product.department
where
    variances.period_status <> 'not yet posted'
    and (
        not coalesce(
            variances.variance_amount = coalesce(variances.price_effect_amount, 0)
            + coalesce(variances.mix_effect_amount, 0)
            + coalesce(variances.volume_effect_amount, 0)
            + variances.unsplit_amount, false
        )
        or coalesce(by_product.lost_amount, 0) <> 0
        {%- for effect in ['price', 'mix', 'volume'] %}
            or (
                variances.comparison like 'prior %'
                and coalesce(variances.{{ effect }}_effect_amount, 0) <> coalesce(by_product.{{ effect }}_amount, 0)
            )
        {%- endfor %}
    )

union all

select
    summed.comparison,
    summed.fiscal_period,
    summed.comparison || ', period ' || summed.fiscal_period
    || ': net sales ' || {{ as_text('summed.actual_amount') }}
    || ', income statement ' || {{ as_text('income_lines.actual_amount') }} as message
from summed
left join income_lines
    on summed.fiscal_period = income_lines.fiscal_period and income_lines.line_code = 'net_sales'
where not coalesce(summed.actual_amount = income_lines.actual_amount, false)
