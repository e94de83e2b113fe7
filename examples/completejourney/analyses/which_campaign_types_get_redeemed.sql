-- question: Which type of campaign gets its coupons redeemed?
-- how to read it: one row a campaign type. `redeeming_percent` is the share of contacts that redeemed anything,
--   `used_coupons_percent` the share of the offered coupons that anybody redeemed. Sales and discount are of the
--   coupons' products in baskets of the day on which they were redeemed.
--   Types went to different customers with different coupons: it doesn't say that a type makes them redeem.
-- answer on the default data: Type A: 16.6 % of the contacts redeem, against 6.5 for Type B and 5.9 for Type C, and
--   nearly half of its coupons (49.1 %) are used at all.
with campaigns as (
    select * from {{ ref('campaign_performance') }}
),

coupons as (
    select * from {{ ref('coupon_performance') }}
),

contacted as (
    select
        campaign_type,
        count(*) as campaigns_count,
        sum(contacts_count) as contacts_count,
        sum(redeeming_customers_count) as redeeming_customers_count
    from campaigns
    group by campaign_type
),

offered as (
    select
        campaign_type,
        count(*) as coupons_count,
        count(*) filter (where redemptions_count > 0) as used_coupons_count,
        sum(redemptions_count) as redemptions_count,
        sum(redeemed_sales_amount) as redeemed_sales_amount,
        sum(manufacturer_coupon_amount + coupon_match_amount) as discount_amount
    from coupons
    group by campaign_type
)

select
    contacted.campaign_type,
    contacted.campaigns_count,
    contacted.contacts_count,
    round(100.0 * contacted.redeeming_customers_count / contacted.contacts_count, 1) as redeeming_percent,
    offered.coupons_count,
    round(100.0 * offered.used_coupons_count / offered.coupons_count, 1) as used_coupons_percent,
    offered.redemptions_count,
    offered.redeemed_sales_amount,
    offered.discount_amount
from contacted
inner join offered on contacted.campaign_type = offered.campaign_type
order by redeeming_percent desc, contacted.campaign_type asc
