-- question: Which campaigns moved what their audience buys?
-- how to read it: `incremental_sales_amount` is what the audience bought more than the control group's change lets
--   expect; the two amounts after it are its 95 % interval. Where the interval holds 0, chance explains the figure as
--   well. Of 20 campaigns one is outside by chance alone. Campaigns with small groups are left out.
-- answer on the default data: Only campaign 20 sold more, by 9,708.46 dollars for a cost of 212.55. Campaigns 8, 9 and
--   11 sold less than expected; for the others it can't be told.
with campaigns as (
    select * from {{ ref('campaign_performance') }}
)

select
    campaign_id,
    campaign_type,
    audience_count,
    campaign_cost_amount,
    incremental_sales_amount,
    round(uplift_lower_amount * audience_count * during_days_count, 2) as incremental_lower_amount,
    round(uplift_upper_amount * audience_count * during_days_count, 2) as incremental_upper_amount,
    case
        when uplift_lower_amount > 0 then 'more'
        when uplift_upper_amount < 0 then 'less'
        else 'cannot tell'
    end as verdict
from campaigns
where
    uplift_daily_amount is not null
    and not is_small_group
order by incremental_sales_amount desc, campaign_id asc
