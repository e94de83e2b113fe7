-- one row: one campaign: its uplift as a rate, adjusted for how many were looked at, and what may be concluded of it
with measured as (
    select * from {{ ref('int_campaign_uplift_measured') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

contacted as (
    select
        campaign_id,
        count(*) as contacts_count
    from contacts
    group by campaign_id
),

rated as (
    select
        measured.*,
        measured.incremental_amount / nullif(measured.control_during_amount, 0) as uplift_rate,
        measured.standard_error_amount / nullif(measured.control_during_amount, 0) as standard_error_rate,
        case
            when measured.p_value is null then 'there is nobody to compare with'
            when measured.is_history_short then 'the data begins less than 90 days before it'
            when measured.audience_count < 30 or measured.control_count < 30
                then 'fewer than 30 customers compare'
            when 2 * measured.audience_count < contacted.contacts_count
                then 'most of its audience has nobody alike'
        end as flaw
    from measured
    left join contacted on measured.campaign_id = contacted.campaign_id
),

-- among those that can be judged
ranked as (
    select
        rated.*,
        p_value * count(*) over (partition by flaw is null)
        / count(*) over (partition by flaw is null order by p_value asc nulls last) as stepped_p_value
    from rated
    where not is_placebo
),

-- Benjamini and Hochberg: among those below 0.05, chance made one of twenty on average
adjusted as (
    select
        ranked.*,
        case
            when flaw is null
                then
                    least(1, min(stepped_p_value) over (partition by flaw is null order by p_value desc nulls last))
        end as adjusted_p_value
    from ranked
),

-- 1.96 + 0.84 standard errors: what is found 8 times of 10
reasoned as (
    select
        campaigns.*,
        placebos.uplift_rate as placebo_uplift_rate,
        placebos.p_value as placebo_p_value,
        2.8 * campaigns.standard_error_rate as detectable_rate,
        nullif(campaigns.audience_count * campaigns.before_days_count, 0) as before_size,
        nullif(campaigns.audience_count * campaigns.during_days_count, 0) as during_size,
        case
            when campaigns.flaw is not null then campaigns.flaw
            when campaigns.adjusted_p_value < 0.05 then null
            when 2.8 * campaigns.standard_error_rate > 0.2 then 'chance would hide even 20 %'
        end as reason
    from adjusted as campaigns
    left join rated as placebos on campaigns.campaign_id = placebos.campaign_id and placebos.is_placebo
)

select
    campaign_id,
    history_days_count,
    before_days_count,
    during_days_count,
    audience_count,
    control_count,
    cast(audience_before_amount / before_size as numeric(14, 6)) as audience_before_daily_amount,
    cast(audience_during_amount / during_size as numeric(14, 6)) as audience_during_daily_amount,
    cast(audience_during_amount * before_size / nullif(audience_before_amount * during_size, 0) - 1 as numeric(14, 6))
        as audience_change_rate,
    cast(control_before_amount / before_size as numeric(14, 6)) as control_before_daily_amount,
    cast(control_during_amount / during_size as numeric(14, 6)) as control_during_daily_amount,
    cast(control_during_amount * before_size / nullif(control_before_amount * during_size, 0) - 1 as numeric(14, 6))
        as control_change_rate,
    audience_overlap_rate,
    control_overlap_rate,
    incremental_amount,
    cast(incremental_amount / during_size as numeric(14, 6)) as uplift_daily_amount,
    cast((incremental_amount - 1.96 * standard_error_amount) / during_size as numeric(14, 6)) as uplift_lower_amount,
    cast((incremental_amount + 1.96 * standard_error_amount) / during_size as numeric(14, 6)) as uplift_upper_amount,
    cast(uplift_rate as numeric(14, 6)) as uplift_rate,
    cast(uplift_rate - 1.96 * standard_error_rate as numeric(14, 6)) as uplift_lower_rate,
    cast(uplift_rate + 1.96 * standard_error_rate as numeric(14, 6)) as uplift_upper_rate,
    cast(p_value as numeric(6, 4)) as p_value,
    cast(adjusted_p_value as numeric(6, 4)) as adjusted_p_value,
    cast(placebo_uplift_rate as numeric(14, 6)) as placebo_uplift_rate,
    cast(placebo_p_value as numeric(6, 4)) as placebo_p_value,
    cast(detectable_rate as numeric(14, 6)) as detectable_rate,
    case
        when reason is not null then 'cannot tell'
        when adjusted_p_value < 0.05 and uplift_rate > 0 then 'sold more'
        when adjusted_p_value < 0.05 then 'sold less'
        else 'no difference found'
    end as verdict,
    coalesce(
        reason,
        case
            when adjusted_p_value < 0.05 and placebo_p_value < 0.05
                then 'more than chance explains, but so it was already before: see how the audience was picked'
            when adjusted_p_value < 0.05 then 'more than chance explains'
            else 'chance explains it as well'
        end
    ) as verdict_reason
from reasoned
