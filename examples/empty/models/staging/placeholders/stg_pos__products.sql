-- one row: a product in a list; there is none, until a view of the company's takes this place
select
    cast(null as date) as extract_date,
    cast(null as {{ var('product_id_type') }}) as product_id,
    cast(null as {{ var('manufacturer_id_type') }}) as manufacturer_id,
    cast(null as text) as department,
    cast(null as text) as brand,
    cast(null as text) as product_category,
    cast(null as text) as product_type,
    cast(null as text) as package_size,
    cast(null as integer) as _file_id
where false
