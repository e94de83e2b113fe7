-- Products, stores and placements of promotions are known members: no key that no dimension has, and no store or
-- placement unknown (the dimensions are made from these very rows). Each key is first made distinct: a join of all
-- rows costs more.
{{ config(meta={'narrowed_by': 'fct_promotions'}) }}
with dim_product as (
    select * from {{ ref('dim_product') }}
),

dim_store as (
    select * from {{ ref('dim_store') }}
),

dim_placement as (
    select * from {{ ref('dim_placement') }}
),

used_products as (
    select distinct product_key
    from {{ ref('fct_promotions') }}
),

used_stores as (
    select distinct store_key
    from {{ ref('fct_promotions') }}
),

used_placements as (
    select distinct placement_key
    from {{ ref('fct_promotions') }}
)

select
    'dim_product' as dimension,
    used_products.product_key as orphan_key
from used_products
left join dim_product on used_products.product_key = dim_product.product_key
where dim_product.product_key is null

union all

select
    'dim_store' as dimension,
    used_stores.store_key as orphan_key
from used_stores
left join dim_store on used_stores.store_key = dim_store.store_key
where coalesce(dim_store.store_key, 0) = 0

union all

select
    'dim_placement' as dimension,
    used_placements.placement_key as orphan_key
from used_placements
left join dim_placement on used_placements.placement_key = dim_placement.placement_key
where coalesce(dim_placement.placement_key, 0) = 0
