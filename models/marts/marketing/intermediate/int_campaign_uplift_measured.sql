-- one row: one campaign: difference in differences of net sales per customer and day, audience against control
with compared as (
    select * from {{ ref('int_campaign_customers_compared') }}
),

-- change in net sales per customer and day, from before the campaign to during it
changes as (
    select
        campaign_id,
        is_audience,
        before_days_count,
        during_days_count,
        before_sales_amount / nullif(before_days_count, 0) as before_daily_amount,
        during_sales_amount / during_days_count as during_daily_amount,
        during_sales_amount / during_days_count
        - before_sales_amount / nullif(before_days_count, 0) as change_daily_amount
    from compared
),

groups as (
    select
        campaign_id,
        max(before_days_count) as before_days_count,
        max(during_days_count) as during_days_count,
        cast(count(*) filter (where is_audience) as integer) as audience_count,
        cast(count(*) filter (where not is_audience) as integer) as control_count,
        avg(before_daily_amount) filter (where is_audience) as audience_before_daily_amount,
        avg(during_daily_amount) filter (where is_audience) as audience_during_daily_amount,
        avg(before_daily_amount) filter (where not is_audience) as control_before_daily_amount,
        avg(during_daily_amount) filter (where not is_audience) as control_during_daily_amount,
        avg(change_daily_amount) filter (where is_audience)
        - avg(change_daily_amount) filter (where not is_audience) as uplift_daily_amount,
        sqrt(
            var_samp(change_daily_amount) filter (where is_audience)
            / nullif(count(*) filter (where is_audience), 0)
            + var_samp(change_daily_amount) filter (where not is_audience)
            / nullif(count(*) filter (where not is_audience), 0)
        ) as standard_error_amount
    from changes
    group by campaign_id
)

select
    campaign_id,
    before_days_count,
    during_days_count,
    audience_count,
    control_count,
    cast(audience_before_daily_amount as numeric(14, 6)) as audience_before_daily_amount,
    cast(audience_during_daily_amount as numeric(14, 6)) as audience_during_daily_amount,
    cast(control_before_daily_amount as numeric(14, 6)) as control_before_daily_amount,
    cast(control_during_daily_amount as numeric(14, 6)) as control_during_daily_amount,
    cast(uplift_daily_amount as numeric(14, 6)) as uplift_daily_amount,
    cast(standard_error_amount as numeric(14, 6)) as standard_error_amount,
    cast(uplift_daily_amount - 1.96 * standard_error_amount as numeric(14, 6)) as uplift_lower_amount,
    cast(uplift_daily_amount + 1.96 * standard_error_amount as numeric(14, 6)) as uplift_upper_amount
from groups
