-- question: How much is at stake with customers that stay away?
-- how to read it: customers by stage of life: Lapsing haven't bought for more than 30 days, Lapsed for more than 90.
--   The value of 12 months is what they bought, the expected value what such customers bring on average in the next 90
--   days if nothing is done. What winning them back would bring beyond that, no figure here says: that takes a campaign
--   with a control group.
-- answer on the default data: Little: 142 Lapsed customers bought for 42,741.7 dollars in a year, 0.9 % of
--   all, and 39.84 are expected of each in the span of the forecast. The 265 Lapsing bought for 579.66 each, and
--   116.04 are expected.
with profiles as (
    select * from {{ ref('customer_profiles') }}
),

customer_values as (
    select * from {{ ref('customer_value') }}
)

select
    profiles.lifecycle_stage,
    count(*) as customers_count,
    sum(customer_values.twelve_month_value_amount) as twelve_month_value_amount,
    round(
        100 * sum(customer_values.twelve_month_value_amount)
        / sum(sum(customer_values.twelve_month_value_amount)) over (), 1
    ) as value_percent,
    round(sum(customer_values.twelve_month_value_amount) / count(*), 2) as customer_value_amount,
    round(sum(customer_values.expected_value_amount) / count(*), 2) as customer_expected_amount
from profiles
inner join customer_values on profiles.customer_id = customer_values.customer_id
group by profiles.lifecycle_stage
order by customers_count desc, profiles.lifecycle_stage asc
