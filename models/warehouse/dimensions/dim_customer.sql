-- one row: one version of one customer; customers without a questionnaire have one version, of unknown attributes
{%- set attributes = [
    'age_band',
    'income_band',
    'home_ownership',
    'marital_status',
    'household_size',
    'household_composition',
    'kids_count',
] %}
{%- set household_columns = {'extract_date': 'date', 'customer_id': var('customer_id_type'), '_file_id': 'integer'} %}
{%- for attribute in attributes %}{% do household_columns.update({attribute: 'text'}) %}{% endfor %}
with extracts as (
    select * from {{ area_ref('loyalty', 'stg_loyalty__households', household_columns) }}
),

visits as (
    select * from {{ ref('int_visits_observed') }}
),

campaign_households as (
    select *
    from {{ area_ref('loyalty', 'stg_loyalty__campaign_households', {'customer_id': var('customer_id_type')}) }}
),

redemptions as (
    select *
    from {{ area_ref('coupons', 'stg_loyalty__coupon_redemptions', {'customer_id': var('customer_id_type')}) }}
),

versions as (
    {{ versions_from_extracts('extracts', 'customer_id', attributes) }}
),

seen_customers as (
    select distinct customer_id from visits -- here, not in the union, it runs in parallel
    union distinct
    select customer_id from campaign_households
    union distinct
    select customer_id from redemptions
),

inferred_customers as (
    select seen_customers.customer_id
    from seen_customers
    left join versions on seen_customers.customer_id = versions.customer_id
    where
        versions.customer_id is null
        and seen_customers.customer_id <> {{ no_customer_id() }}
),

members as (
    select
        {{ surrogate_key(['customer_id', 'valid_from']) }} as customer_key,
        customer_id,
        'identified' as customer_kind,
        {%- for attribute in attributes %}
            {{ attribute }},
        {%- endfor %}
        true as has_demographics,
        attribute_hash,
        valid_from,
        valid_to
    from versions

    union all

    select
        {{ surrogate_key(['customer_id', "'1900-01-01'"]) }} as customer_key,
        customer_id,
        'identified' as customer_kind,
        {%- for attribute in attributes %}
            null as {{ attribute }},
        {%- endfor %}
        false as has_demographics,
        0 as attribute_hash,
        cast('1900-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to
    from inferred_customers
    {%- for kind, key, id in [('unknown', 0, unknown_id('customer_id')), ('no customer', -1, no_customer_id())] %}

        union all

        select
            {{ key }} as customer_key,
            {{ id }} as customer_id,
            '{{ kind }}' as customer_kind,
            {%- for attribute in attributes %}
                null as {{ attribute }},
            {%- endfor %}
            false as has_demographics,
            0 as attribute_hash,
            cast('1900-01-01' as date) as valid_from,
            cast('9999-12-31' as date) as valid_to
    {%- endfor %}
)

select
    customer_key,
    customer_id,
    customer_kind,
    {%- for attribute in attributes %}
        {{ area_value('loyalty', 'coalesce(' ~ attribute ~ ", 'Unknown')", 'text') }} as {{ attribute }},
    {%- endfor %}
    {{ area_value('loyalty', 'has_demographics', 'boolean') }} as has_demographics,
    attribute_hash,
    valid_from,
    valid_to,
    valid_to = cast('9999-12-31' as date) as is_current
from members
