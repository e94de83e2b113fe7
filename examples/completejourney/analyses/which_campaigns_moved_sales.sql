-- question: Which campaigns moved what their audience buys?
-- how to read it: read the verdict first. `uplift_percent` is what the audience bought more than customers alike, with
--   its 95 % interval; it means something only where the verdict is sold more or sold less. `detectable_percent` is how
--   large an effect would have shown in 8 of 10 cases: a smaller one may be there all the same. Campaigns of which
--   nobody can tell are left out.
-- answer on the default data: None: of the 16 campaigns that can be judged, chance explains each, and an effect of 9.2
--   to 14.6 % would have shown. So what they cost, 55.25 to 1,318.92 dollars, may or may not have come back.
with campaigns as (
    select * from {{ ref('campaign_performance') }}
)

select
    campaign_id,
    campaign_type,
    audience_count,
    campaign_cost_amount,
    round(100 * uplift_rate, 1) as uplift_percent,
    round(100 * uplift_lower_rate, 1) as uplift_lower_percent,
    round(100 * uplift_upper_rate, 1) as uplift_upper_percent,
    round(100 * detectable_rate, 1) as detectable_percent,
    verdict
from campaigns
where verdict <> 'cannot tell'
order by uplift_rate desc, campaign_id asc
