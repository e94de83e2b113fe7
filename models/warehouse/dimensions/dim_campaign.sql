-- one row: one campaign, with its window as far as the data shows it
with campaigns as (
    select * from {{ ref('stg_loyalty__campaigns') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

observed as (
    select
        campaigns.campaign_id,
        campaigns.campaign_type,
        campaigns.start_date,
        campaigns.end_date,
        greatest(campaigns.start_date, sales_window.first_business_date) as observed_start_date,
        least(campaigns.end_date, sales_window.as_of_date) as observed_end_date,
        campaigns.start_date < sales_window.first_business_date as is_start_cut,
        campaigns.end_date > sales_window.as_of_date as is_end_cut
    from campaigns
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
    is_end_cut
from observed

union all

-- the unknown member
select
    0 as campaign_key,
    0 as campaign_id,
    'Unknown' as campaign_type,
    null as start_date,
    null as end_date,
    null as planned_days_count,
    null as observed_start_date,
    null as observed_end_date,
    false as is_start_cut,
    false as is_end_cut
