-- one row: one day of one campaign's observed window
{% call set_sql_header(config) %}{{ join_as_written() }}{{ hash_to_group() }}{% endcall %}

with campaigns as (
    select * from {{ ref('dim_campaign') }}
),

compared as (
    select * from {{ ref('int_campaign_customers_compared') }}
    where not is_placebo
),

customer_days as (
    select * from {{ ref('int_customer_days_summed') }}
),

redemptions as (
    select * from {{ area_ref('coupons', 'fct_coupon_redemptions', {
        'campaign_id': var('campaign_id_type'), 'redemption_date': 'date', 'redemptions_count': 'integer'
    }) }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

groups as (
    select
        campaign_id,
        count(*) filter (where is_audience) as audience_count,
        count(*) filter (where not is_audience) as control_count
    from compared
    group by campaign_id
),

campaign_dates as (
    select
        campaigns.campaign_id,
        campaigns.observed_start_date,
        dates.date_key as business_date
    from campaigns
    inner join dates
        on
            campaigns.observed_start_date <= dates.date_key
            and campaigns.observed_end_date >= dates.date_key
),

-- the controls' sales, weighted into what the audience was expected to buy; of the dates that a campaign has, for a
-- customer's days of many years are far more
group_days as (
    select
        compared.campaign_id,
        customer_days.business_date,
        sum(customer_days.net_sales_amount) filter (where compared.is_audience) as audience_sales_amount,
        sum(compared.comparison_weight * customer_days.net_sales_amount) filter (
            where not compared.is_audience
        ) as expected_sales_amount
    from campaign_dates
    inner join customer_days on campaign_dates.business_date = customer_days.business_date
    inner join compared
        on
            campaign_dates.campaign_id = compared.campaign_id
            and customer_days.customer_id = compared.customer_id
    group by
        compared.campaign_id,
        customer_days.business_date
),

redeemed as (
    select
        campaign_id,
        redemption_date,
        sum(redemptions_count) as redemptions_count
    from redemptions
    group by
        campaign_id,
        redemption_date
),

days as (
    select
        campaign_dates.campaign_id,
        campaign_dates.business_date,
        {{ dbt.datediff('campaign_dates.observed_start_date', 'campaign_dates.business_date', 'day') }} + 1
            as day_number,
        coalesce(groups.audience_count, 0) as audience_count,
        coalesce(groups.control_count, 0) as control_count,
        coalesce(redeemed.redemptions_count, 0) as redemptions_count,
        coalesce(group_days.audience_sales_amount, 0) as audience_sales_amount,
        coalesce(group_days.expected_sales_amount, 0) as expected_sales_amount
    from campaign_dates
    left join groups on campaign_dates.campaign_id = groups.campaign_id
    left join group_days
        on
            campaign_dates.campaign_id = group_days.campaign_id
            and campaign_dates.business_date = group_days.business_date
    left join redeemed
        on
            campaign_dates.campaign_id = redeemed.campaign_id
            and campaign_dates.business_date = redeemed.redemption_date
)

select
    campaign_id,
    business_date,
    day_number,
    cast(audience_count as integer) as audience_count,
    cast(control_count as integer) as control_count,
    {{ area_value('coupons', 'redemptions_count', 'integer') }} as redemptions_count,
    {{ area_value('coupons', 'sum(redemptions_count) over series', 'integer') }} as cumulative_redemptions_count,
    cast(audience_sales_amount as numeric(14, 2)) as audience_sales_amount,
    cast(expected_sales_amount as numeric(14, 2)) as expected_sales_amount,
    cast(sum(audience_sales_amount) over series as numeric(14, 2)) as cumulative_audience_sales_amount,
    cast(audience_sales_amount / nullif(audience_count, 0) as numeric(14, 6)) as audience_daily_amount,
    cast(expected_sales_amount / nullif(audience_count, 0) as numeric(14, 6)) as control_daily_amount,
    cast((audience_sales_amount - expected_sales_amount) / nullif(audience_count, 0) as numeric(14, 6))
        as uplift_daily_amount,
    cast(
        case
            when audience_count > 0 then sum(audience_sales_amount - expected_sales_amount) over series
        end as numeric(14, 2)
    ) as cumulative_incremental_sales_amount,
    audience_count < 30 or control_count < 30 as is_small_group
from days
window series as (
    partition by campaign_id order by business_date asc nulls last
    rows between unbounded preceding and current row
)
