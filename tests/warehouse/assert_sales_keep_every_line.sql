-- Every delivered basket line is in fct_sales once, with its amounts: no join drops one (an unknown product,
-- customer or store) or doubles one (two versions of a dimension valid on one day).
with delivered as (
    select
        count(*) as lines_count,
        sum(net_sales_amount) as net_sales_amount,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(manufacturer_coupon_amount) as manufacturer_coupon_amount
    from {{ ref('stg_pos__transactions') }}
),

facts as (
    select
        count(*) as lines_count,
        sum(net_sales_amount) as net_sales_amount,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(manufacturer_coupon_amount) as manufacturer_coupon_amount
    from {{ ref('fct_sales') }}
)

select
    delivered.lines_count as delivered_lines_count,
    facts.lines_count as facts_lines_count,
    delivered.net_sales_amount as delivered_net_sales_amount,
    facts.net_sales_amount as facts_net_sales_amount
from delivered
cross join facts
where
    {% if var('sales_lines') == 'numbered' -%}
        delivered.lines_count is distinct from facts.lines_count or
    {%- endif %} delivered.net_sales_amount is distinct from facts.net_sales_amount
    or delivered.gross_sales_amount is distinct from facts.gross_sales_amount
    or delivered.manufacturer_coupon_amount is distinct from facts.manufacturer_coupon_amount
    or (facts.lines_count = 0 and delivered.lines_count > 0)
