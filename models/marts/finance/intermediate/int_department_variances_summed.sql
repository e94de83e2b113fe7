-- one row: one department in one posted fiscal period and comparison, with the parts of its products' variances
with product_variances as (
    select * from {{ ref('product_sales_variance') }}
)

select
    comparison,
    fiscal_period,
    department,
    cast(sum(price_effect_amount) as numeric(16, 2)) as price_effect_amount,
    cast(sum(price_at_base_units_amount) as numeric(16, 2)) as price_at_base_units_amount,
    cast(sum(mix_effect_amount) as numeric(16, 2)) as mix_effect_amount,
    cast(sum(volume_effect_amount) as numeric(16, 2)) as volume_effect_amount,
    cast(sum(case when price_effect_amount is not null then units_count end) as {{ var('quantity_type') }})
        as split_units_count,
    cast(sum(case when price_effect_amount is not null then base_units_count end) as {{ var('quantity_type') }})
        as split_base_units_count,
    cast(sum(case when price_effect_amount is not null then base_net_sales_amount end) as numeric(16, 2))
        as split_base_net_sales_amount,
    cast(sum(base_units_count) as {{ var('quantity_type') }}) as base_units_count,
    cast(
        sum(case when product_status = 'in both' and price_effect_amount is not null then net_sales_amount else 0 end)
        as numeric(16, 2)
    ) as matched_net_sales_amount
from product_variances
group by
    comparison,
    fiscal_period,
    department
