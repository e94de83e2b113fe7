-- one row: one line of a basket: a product, and where it is there more than once, its line number
{{ config(partition_by={'field': 'business_date', 'granularity': 'day'}, indexes=[{'columns': ['business_date']}]) }}

{%- set columns = [
    'basket_id', 'product_id', 'line_kind', 'customer_id', 'store_id', 'sold_at', 'business_date', 'business_hour'
] %}
{%- set measures = [
    'gross_sales_amount', 'loyalty_discount_amount', 'coupon_match_amount', 'net_sales_amount',
    'manufacturer_coupon_amount', 'customer_paid_amount'
] %}
{%- set promotions = area_ref('promotions', 'fct_promotions', {
    'week_start_date': 'date', 'product_id': var('product_id_type'), 'store_id': var('store_id_type'),
    'placement_key': 'bigint'
}) %}
{%- set observed_placements = area_ref('promotions', 'int_placements_observed', {
    'week_start_date': 'date', 'store_id': var('store_id_type')
}) %}
with transactions as (
    select * from {{ ref('stg_pos__transactions') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

promotions as (
    select * from {{ promotions }}
),

observed_placements as (
    select * from {{ observed_placements }}
),

-- the weeks in which a store told its placements: what it didn't name was neither on display nor on the mailer
observed_weeks as (
    select distinct
        week_start_date,
        store_id,
        {{ surrogate_key(["'0'", "'0'"]) }} as placement_key
    from observed_placements
),

{% if var('sales_lines') == 'added_up' %}
    lines as (
        select
            {{ columns | join(',\n            ') }},
            cast(1 as smallint) as line_number,
            cast(sum(quantity) as {{ var('quantity_type') }}) as quantity,
            {%- for measure in measures %}
                sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from transactions
        group by
            {{ columns | join(',\n            ') }}
    ),
{% else %}
    lines as (
        select * from transactions
    ),
{% endif %}
dated as (
    select
        lines.*,
        coalesce(lines.customer_id, {{ no_customer_id() }}) as buyer_id,
        cast({{ dbt.date_trunc('week', 'business_date') }} as date) as week_start_date
    from lines
)

select
    dated.basket_id,
    coalesce(customers.customer_key, 0) as customer_key,
    coalesce(products.product_key, 0) as product_key,
    coalesce(products.department_key, 0) as department_key,
    coalesce(stores.store_key, 0) as store_key,
    {{ area_value('promotions', 'coalesce(promotions.placement_key, observed_weeks.placement_key, 0)', 'bigint') }}
        as placement_key,
    dated.sold_at,
    dated.business_date,
    dated.product_id,
    dated.line_number,
    dated.line_kind,
    dated.quantity,
    case when products.is_merchandise and dated.line_kind <> 'void' then dated.quantity else 0 end as units_count,
    dated.business_hour,
    dated.gross_sales_amount,
    dated.loyalty_discount_amount,
    dated.coupon_match_amount,
    dated.net_sales_amount,
    dated.manufacturer_coupon_amount,
    dated.customer_paid_amount
from dated
left join customers
    on
        dated.buyer_id = customers.customer_id
        and dated.business_date >= customers.valid_from
        and dated.business_date < customers.valid_to
left join products
    on
        dated.product_id = products.product_id
        and dated.business_date >= products.valid_from
        and dated.business_date < products.valid_to
left join stores on dated.store_id = stores.store_id
left join promotions
    on
        dated.week_start_date = promotions.week_start_date
        and dated.product_id = promotions.product_id
        and dated.store_id = promotions.store_id
left join observed_weeks
    on
        dated.week_start_date = observed_weeks.week_start_date
        and dated.store_id = observed_weeks.store_id
