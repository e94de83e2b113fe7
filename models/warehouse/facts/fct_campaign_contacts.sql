-- one row: one customer that one campaign was sent to
with contacts as (
    select * from {{ ref('stg_loyalty__campaign_households') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
)

select distinct
    contacts.campaign_id,
    contacts.customer_id,
    coalesce(campaigns.campaign_key, 0) as campaign_key,
    coalesce(customers.customer_key, 0) as customer_key,
    campaigns.start_date as contact_date
from contacts
left join campaigns on contacts.campaign_id = campaigns.campaign_id
left join customers
    on
        contacts.customer_id = customers.customer_id
        and coalesce(campaigns.start_date, cast('9999-12-30' as date)) >= customers.valid_from
        and coalesce(campaigns.start_date, cast('9999-12-30' as date)) < customers.valid_to
