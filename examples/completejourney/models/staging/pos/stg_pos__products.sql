-- one row: one product as one full extract knew it
with source as (
    select * from {{ source('pos', 'products') }}
)

select
    extract_date,
    product_id,
    manufacturer_id,
    nullif(upper(trim(department)), '') as department,
    nullif(trim(brand), '') as brand,
    nullif(trim(product_category), '') as product_category,
    nullif(trim(product_type), '') as product_type,
    nullif(trim(package_size), '') as package_size,
    _file_id
from source
