-- one row: one product in one store in one week of its life in which it was on display or in the mailer there

with promotions as (
    select * from {{ ref('fct_promotions') }}
),

product_stores as (
    select * from {{ ref('int_product_stores_sold') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
)

-- The life is a filter, not a join condition: as a condition it tempts the planner into an index scan per product.
select
    promotions.product_id,
    promotions.store_key,
    promotions.week_start_date,
    promotions.placement_key,
    product_stores.store_size_units
from promotions
inner join product_stores
    on promotions.product_id = product_stores.product_id and promotions.store_key = product_stores.store_key
inner join placements on promotions.placement_key = placements.placement_key
where
    promotions.week_start_date >= product_stores.first_week_start_date
    and promotions.week_start_date <= product_stores.last_week_start_date
    and (placements.is_on_display or placements.is_on_mailer)
