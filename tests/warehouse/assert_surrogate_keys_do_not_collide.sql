-- A hash collision would give two business keys one surrogate key. The primary keys refuse it when a dimension is
-- built; this says which business keys it were, over all dimensions with hashed keys, and that no member but the
-- unknown has key 0.
{%- set dimensions = [
    ('dim_customer', 'customer_key', 'customer_id'),
    ('dim_product', 'product_key', 'product_id'),
    ('dim_store', 'store_key', 'store_id'),
] %}
{%- do dimensions.append(('dim_campaign', 'campaign_key', 'campaign_id')) if area_is_on('loyalty') %}
{%- do dimensions.append(('dim_coupon', 'coupon_key', 'coupon_id')) if area_is_on('coupons') %}
with members as (
    {%- for dimension, key, id in dimensions %}
        select
            '{{ dimension }}' as dimension,
            {{ key }} as member_key,
            count(*) as members_count,
            min(cast({{ id }} as {{ dbt.type_string() }})) as member_id,
            cast({{ unknown_id(id) }} as {{ dbt.type_string() }}) as unknown_member_id
        from {{ ref(dimension) }}
        group by {{ key }}
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select
    dimension,
    member_key,
    members_count,
    member_id
from members
where
    members_count > 1
    or (member_key = 0) is distinct from (member_id = unknown_member_id)
