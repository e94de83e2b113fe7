-- one row: one article in one week's list
with source as (
    select * from {{ source('hofladen', 'artikel') }}
)

select
    stand as extract_date,
    artikelnummer as product_id,
    erzeuger as manufacturer_id,
    upper(warengruppe) as department,
    cast(null as text) as brand,
    bezeichnung as product_category,
    einheit as product_type,
    cast(null as text) as package_size,
    _file_id
from source
