-- one row: one version of one product
{{ config(materialized='incremental') }}
{%- set attributes = [
    'manufacturer_id', 'department', 'brand', 'product_category', 'product_type', 'package_size'
] %}
with extracts as (
    select * from {{ ref('stg_pos__products') }}
    where {{ is_touched(ref('stg_pos__products')) }}
),

non_merchandise as (
    select * from {{ ref('non_merchandise') }}
),

versions as (
    {{ versions_from_extracts('extracts', 'product_id', attributes) }}
),

newest_extract as (
    select max(extract_date) as extract_date from extracts
),

classified as (
    select
        {{ surrogate_key(['versions.product_id', 'versions.valid_from']) }} as product_key,
        versions.product_id,
        versions.manufacturer_id,
        versions.department,
        versions.product_category,
        versions.product_type,
        versions.brand,
        versions.package_size,
        not exists (
            select 1
            from non_merchandise
            where
                non_merchandise.department in ('*', versions.department)
                and non_merchandise.product_category in ('*', versions.product_category)
        ) as is_merchandise,
        versions.last_extract_date < newest_extract.extract_date as is_delisted,
        versions.attribute_hash,
        versions.valid_from,
        versions.valid_to
    from versions
    cross join newest_extract

    union all

    -- the unknown member
    select
        0 as product_key,
        0 as product_id,
        null as manufacturer_id,
        'UNKNOWN' as department,
        null as product_category,
        null as product_type,
        null as brand,
        null as package_size,
        false as is_merchandise,
        false as is_delisted,
        0 as attribute_hash,
        cast('1900-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to
)

select
    product_key,
    product_id,
    manufacturer_id,
    coalesce(department, 'UNKNOWN') as department,
    coalesce(product_category, 'Unknown') as product_category,
    coalesce(product_type, 'Unknown') as product_type,
    coalesce(brand, 'Unknown') as brand,
    coalesce(package_size, 'Unknown') as package_size,
    is_merchandise,
    is_delisted,
    attribute_hash,
    valid_from,
    valid_to,
    valid_to = cast('9999-12-31' as date) as is_current
from classified
