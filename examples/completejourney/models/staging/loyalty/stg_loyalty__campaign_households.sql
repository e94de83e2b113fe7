-- one row: one household that a campaign was sent to
with source as (
    select * from {{ source('loyalty', 'campaign_households') }}
)

select
    campaign_id,
    household_id as customer_id,
    _file_id
from source
