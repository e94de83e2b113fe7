-- A hash collision would give two business keys one surrogate key. The primary keys refuse it when a dimension is built;
-- this says which business keys it were, over all dimensions with hashed keys, and that no member but the unknown has key 0.
with members as (
    select 'dim_customer' as dimension, customer_key as member_key, count(*) as members_count, max(customer_id) as member_id
    from {{ ref('dim_customer') }}
    group by customer_key
    union all
    select 'dim_product' as dimension, product_key as member_key, count(*) as members_count, max(product_id) as member_id
    from {{ ref('dim_product') }}
    group by product_key
    union all
    select 'dim_store' as dimension, store_key as member_key, count(*) as members_count, max(store_id) as member_id
    from {{ ref('dim_store') }}
    group by store_key
    union all
    select 'dim_campaign' as dimension, campaign_key as member_key, count(*) as members_count, max(campaign_id) as member_id
    from {{ ref('dim_campaign') }}
    group by campaign_key
)

select
    dimension,
    member_key,
    members_count,
    member_id
from members
where
    members_count > 1
    or (member_key = 0) is distinct from (member_id = 0)
