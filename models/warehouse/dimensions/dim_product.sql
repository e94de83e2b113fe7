-- one row: one version of one product
{%- set attributes = [
    'manufacturer_id', 'department', 'brand', 'product_category', 'product_type', 'package_size'
] %}
with extracts as (
    select * from {{ ref('stg_pos__products') }}
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
        versions.product_id,
        versions.manufacturer_id,
        coalesce(versions.department, 'UNKNOWN') as department,
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
),

-- department_key follows dim_department's rule instead of joining it: that dimension reads the ledger, too, and a
-- fault in the books must not hold up sales (a relationships test ties the two)
members as (
    select
        {{ surrogate_key(['product_id', 'valid_from']) }} as product_key,
        product_id,
        manufacturer_id,
        case when department = 'UNKNOWN' then 0 else {{ surrogate_key(['department']) }} end as department_key,
        department,
        product_category,
        product_type,
        brand,
        package_size,
        is_merchandise,
        is_delisted,
        {{ surrogate_key(['attribute_hash', 'is_merchandise']) }} as attribute_hash,
        valid_from,
        valid_to
    from classified

    union all

    -- the unknown member
    select
        0 as product_key,
        {{ unknown_id('product_id') }} as product_id,
        null as manufacturer_id,
        0 as department_key,
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
    department_key,
    department,
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
from members
