-- one row: one store; the source has no store list, so stores are those that sell or promote
with transactions as (
    select * from {{ ref('stg_pos__transactions') }}
),

promotions as (
    select * from {{ ref('stg_pos__promotions') }}
),

selling_stores as (
    select
        store_id,
        min(business_date) as first_sale_date,
        max(business_date) as last_sale_date
    from transactions
    group by store_id
),

promoting_stores as (
    select distinct store_id from promotions
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
