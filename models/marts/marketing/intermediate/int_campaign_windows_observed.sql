-- one row: one campaign's observed window, or its placebo: as many days just ahead of it, in which it can't have worked
with campaigns as (
    select * from {{ ref('dim_campaign') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

observed as (
    select
        campaign_id,
        observed_start_date,
        observed_end_date,
        {{ dbt.datediff('observed_start_date', 'observed_end_date', 'day') }} + 1 as during_days_count
    from campaigns
    where observed_start_date is not null
),

windows as (
    select
        campaign_id,
        false as is_placebo,
        observed_start_date as start_date,
        observed_end_date as end_date,
        during_days_count
    from observed

    union all

    select
        campaign_id,
        true as is_placebo,
        {{ add_days('observed_start_date', '-during_days_count') }} as start_date,
        {{ add_days('observed_start_date', '-1') }} as end_date,
        during_days_count
    from observed
),

-- a year is as far back as the past tells about the present; the span before is what is shown beside the window
dated as (
    select
        windows.*,
        greatest({{ add_days('windows.start_date', '-365') }}, sales_window.first_business_date) as history_start_date,
        greatest(
            {{ add_days('windows.start_date', '-windows.during_days_count') }}, sales_window.first_business_date
        ) as before_start_date
    from windows
    cross join sales_window
),

measured as (
    select
        dated.*,
        {{ dbt.datediff('history_start_date', 'start_date', 'day') }} as history_days_count,
        {{ dbt.datediff('before_start_date', 'start_date', 'day') }} as before_days_count
    from dated
)

select
    campaign_id,
    is_placebo,
    start_date,
    end_date,
    cast(during_days_count as integer) as during_days_count,
    before_start_date,
    cast(before_days_count as integer) as before_days_count,
    history_start_date,
    cast(history_days_count as integer) as history_days_count,
    -- what is known of each customer settles after about 90 days: see docs/decisions.md
    history_days_count < 90 as is_history_short
from measured
where not is_placebo or history_days_count >= 90
