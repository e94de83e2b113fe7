-- one row: one delivered placement of a product in a store in a week; keys may come more than once
with source as (
    select * from {{ source('pos', 'promotions') }}
)

select
    week as week_number,
    {{ retail_week_start_date('week') }} as week_start_date,
    product_id,
    store_id,
    display_location as display_code,
    mailer_location as mailer_code,
    _file_id
from source
