-- one row: one store; the source has no store list, so stores are those that sell or promote
with visits as (
    select * from {{ ref('int_visits_observed') }}
),

observed_placements as (
    select * from {{ ref('int_placements_observed') }}
),

selling_stores as (
    select
        store_id,
        min(business_date) as first_sale_date,
        max(business_date) as last_sale_date
    from visits
    group by store_id
),

promoting_stores as (
    select distinct store_id from observed_placements
),

members as (
    select
        coalesce(selling_stores.store_id, promoting_stores.store_id) as store_id,
        selling_stores.first_sale_date,
        selling_stores.last_sale_date,
        promoting_stores.store_id is not null as has_promotions
    from selling_stores
    full outer join promoting_stores on selling_stores.store_id = promoting_stores.store_id
)

select
    {{ surrogate_key(['store_id']) }} as store_key,
    store_id,
    first_sale_date,
    last_sale_date,
    has_promotions
from members

union all

-- the unknown member
select
    0 as store_key,
    0 as store_id,
    null as first_sale_date,
    null as last_sale_date,
    false as has_promotions
