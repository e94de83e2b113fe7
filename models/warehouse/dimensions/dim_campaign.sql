-- one row: one campaign, with its window as far as the data shows it; described now, or last seen described and in use
with campaigns as (
    select * from {{ ref('stg_loyalty__campaigns') }}
),

campaign_history as (
    select * from {{ ref('campaigns_history') }}
),

campaign_households as (
    select * from {{ ref('stg_loyalty__campaign_households') }}
),

coupons as (
    select * from {{ area_ref('coupons', 'stg_loyalty__coupons', {'campaign_id': var('campaign_id_type')}) }}
),

redemptions as (
    select *
    from {{ area_ref('coupons', 'stg_loyalty__coupon_redemptions', {'campaign_id': var('campaign_id_type')}) }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

used_campaigns as (
    select campaign_id from campaign_households
    union distinct
    select campaign_id from coupons
    union distinct
    select campaign_id from redemptions
),

withdrawn_campaigns as (
    {{ withdrawn_rows('campaign_history', 'campaigns', 'campaign_id') }}
),

described as (
    select
        campaign_id,
        campaign_type,
        start_date,
        end_date,
        false as is_withdrawn
    from campaigns

    union all

    select
        withdrawn_campaigns.campaign_id,
        withdrawn_campaigns.campaign_type,
        withdrawn_campaigns.start_date,
        withdrawn_campaigns.end_date,
        true as is_withdrawn
    from withdrawn_campaigns
    inner join used_campaigns on withdrawn_campaigns.campaign_id = used_campaigns.campaign_id
),

observed as (
    select
        described.campaign_id,
        described.campaign_type,
        described.start_date,
        described.end_date,
        described.is_withdrawn,
        greatest(described.start_date, sales_window.first_business_date) as observed_start_date,
        least(described.end_date, sales_window.as_of_date) as observed_end_date,
        described.start_date < sales_window.first_business_date as is_start_cut,
        described.end_date > sales_window.as_of_date as is_end_cut
    from described
    cross join sales_window
)

select
    {{ surrogate_key(['campaign_id']) }} as campaign_key,
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    {{ dbt.datediff('start_date', 'end_date', 'day') }} + 1 as planned_days_count,
    case when observed_start_date <= observed_end_date then observed_start_date end as observed_start_date,
    case when observed_start_date <= observed_end_date then observed_end_date end as observed_end_date,
    is_start_cut,
    is_end_cut,
    is_withdrawn
from observed

union all

-- the unknown member
select
    0 as campaign_key,
    {{ unknown_id('campaign_id') }} as campaign_id,
    'Unknown' as campaign_type,
    null as start_date,
    null as end_date,
    null as planned_days_count,
    null as observed_start_date,
    null as observed_end_date,
    false as is_start_cut,
    false as is_end_cut,
    false as is_withdrawn
