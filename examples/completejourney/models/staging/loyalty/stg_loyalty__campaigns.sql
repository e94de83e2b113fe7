-- one row: one campaign
with source as (
    select * from {{ source('loyalty', 'campaigns') }}
)

select
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    _file_id
from source
