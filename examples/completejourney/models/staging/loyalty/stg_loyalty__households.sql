-- one row: one household as one full extract knew it
with source as (
    select * from {{ source('loyalty', 'households') }}
)

select
    extract_date,
    household_id as customer_id,
    age as age_band,
    income as income_band,
    home_ownership,
    marital_status,
    household_size,
    household_comp as household_composition,
    kids_count,
    _file_id
from source
