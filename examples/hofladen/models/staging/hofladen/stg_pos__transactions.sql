-- one row: one position of a receipt
with source as (
    select * from {{ source('hofladen', 'bons') }}
),

named as (
    select
        cast("Bon" as text) as basket_id,
        "Artikelnummer" as product_id,
        cast("Position" as smallint) as line_number,
        case "Vorgang"
            when 'Verkauf' then 'sale'
            when 'Retoure' then 'return'
            when 'Storno' then 'void'
        end as line_kind,
        "Kunde" as customer_id,
        "Filiale" as store_id,
        "Zeitpunkt" as sold_at,
        "Menge" as quantity,
        case when "Vorgang" = 'Storno' then 0 else "Betrag" end as net_sales_amount,
        case when "Vorgang" = 'Storno' then 0 else "Rabatt" end as loyalty_discount_amount,
        _file_id
    from source
)

select
    basket_id,
    product_id,
    line_number,
    line_kind,
    customer_id,
    store_id,
    sold_at,
    cast({{ business_time('sold_at') }} as date) as business_date,
    cast(extract(hour from {{ business_time('sold_at') }}) as smallint) as business_hour,
    quantity,
    net_sales_amount + loyalty_discount_amount as gross_sales_amount,
    loyalty_discount_amount,
    cast(0 as numeric(10, 2)) as coupon_match_amount,
    net_sales_amount,
    cast(0 as numeric(10, 2)) as manufacturer_coupon_amount,
    net_sales_amount as customer_paid_amount,
    _file_id
from named
