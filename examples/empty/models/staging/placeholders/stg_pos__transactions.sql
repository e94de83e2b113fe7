-- one row: a line of a basket; there is none, until a view of the company's takes this place
select
    cast(null as {{ var('basket_id_type') }}) as basket_id,
    cast(null as {{ var('product_id_type') }}) as product_id,
    cast(null as smallint) as line_number,
    cast(null as text) as line_kind,
    cast(null as {{ var('customer_id_type') }}) as customer_id,
    cast(null as {{ var('store_id_type') }}) as store_id,
    cast(null as timestamptz) as sold_at,
    cast(null as date) as business_date,
    cast(null as smallint) as business_hour,
    cast(null as {{ var('quantity_type') }}) as quantity,
    cast(null as numeric(14, 2)) as gross_sales_amount,
    cast(null as numeric(14, 2)) as loyalty_discount_amount,
    cast(null as numeric(14, 2)) as coupon_match_amount,
    cast(null as numeric(14, 2)) as net_sales_amount,
    cast(null as numeric(14, 2)) as manufacturer_coupon_amount,
    cast(null as numeric(14, 2)) as customer_paid_amount,
    cast(null as integer) as _file_id
where false
