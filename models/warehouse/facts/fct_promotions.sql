-- one row: one product in one store in one retail week
-- Of a key that was delivered more than once, display and mailer each keep their highest code: being on display or on
-- the mailer beats not being (code 0), and among two places the later one in the code book stands. The rule doesn't
-- depend on the order of rows.
{{ config(partition_by={'field': 'week_start_date', 'granularity': 'week'}) }}
{% call set_sql_header(config) %}{{ sort_to_group() }}{% endcall %}

with promotions as (
    select * from {{ ref('stg_pos__promotions') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

resolved as (
    select
        week_start_date,
        product_id,
        store_id,
        max(display_code) as display_code,
        max(mailer_code) as mailer_code,
        count(*) as delivered_rows_count
    from promotions
    group by
        week_start_date,
        product_id,
        store_id
)

select
    coalesce(products.product_key, 0) as product_key,
    coalesce(stores.store_key, 0) as store_key,
    coalesce(placements.placement_key, 0) as placement_key,
    resolved.week_start_date,
    resolved.product_id,
    resolved.store_id,
    cast(resolved.delivered_rows_count as smallint) as delivered_rows_count
from resolved
left join products
    on
        resolved.product_id = products.product_id
        and resolved.week_start_date >= products.valid_from
        and resolved.week_start_date < products.valid_to
left join stores on resolved.store_id = stores.store_id
left join placements
    on
        resolved.display_code = placements.display_code
        and resolved.mailer_code = placements.mailer_code
