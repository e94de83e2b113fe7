-- one row: one campaign
with campaigns as (
    select * from {{ ref('dim_campaign') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

redemptions as (
    select * from {{ area_ref('coupons', 'fct_coupon_redemptions', {
        'campaign_id': var('campaign_id_type'), 'customer_id': var('customer_id_type'), 'redemptions_count': 'integer'
    }) }}
),

coupon_products as (
    select * from {{ area_ref('coupons', 'bridge_coupon_products', {
        'campaign_id': var('campaign_id_type'), 'coupon_id': var('coupon_id_type'), 'product_id': var('product_id_type')
    }) }}
),

products_sold as (
    select * from {{ area_ref('coupons', 'int_campaign_products_sold', {
        'campaign_id': var('campaign_id_type'), 'net_sales_amount': 'numeric', 'coupon_match_amount': 'numeric'
    }) }}
),

compared as (
    select * from {{ ref('int_campaign_verdicts_reached') }}
),

contacted as (
    select
        campaign_id,
        cast(count(*) as integer) as contacts_count
    from contacts
    group by campaign_id
),

offered as (
    select
        campaign_id,
        cast(count(distinct coupon_id) as integer) as coupons_offered_count,
        cast(count(distinct product_id) as integer) as promoted_products_count
    from coupon_products
    group by campaign_id
),

redeemed as (
    select
        campaign_id,
        cast(sum(redemptions_count) as integer) as redemptions_count,
        cast(count(distinct customer_id) as integer) as redeeming_customers_count
    from redemptions
    group by campaign_id
),

promoted_sales as (
    select
        campaign_id,
        sum(net_sales_amount) as promoted_sales_amount,
        sum(coupon_match_amount) as coupon_match_cost_amount
    from products_sold
    group by campaign_id
),

measured as (
    select
        campaigns.campaign_id,
        campaigns.campaign_type,
        campaigns.start_date,
        campaigns.end_date,
        campaigns.observed_start_date,
        campaigns.observed_end_date,
        campaigns.is_start_cut or campaigns.is_end_cut as is_window_cut,
        coalesce(contacted.contacts_count, 0) as contacts_count,
        coalesce(offered.coupons_offered_count, 0) as coupons_offered_count,
        coalesce(offered.promoted_products_count, 0) as promoted_products_count,
        coalesce(redeemed.redemptions_count, 0) as redemptions_count,
        coalesce(redeemed.redeeming_customers_count, 0) as redeeming_customers_count,
        coalesce(contacted.contacts_count, 0) * {{ var('campaign_mailing_unit_cost') }} as mailing_cost_amount,
        coalesce(promoted_sales.coupon_match_cost_amount, 0) as coupon_match_cost_amount,
        coalesce(promoted_sales.promoted_sales_amount, 0) as promoted_sales_amount
    from campaigns
    left join contacted on campaigns.campaign_id = contacted.campaign_id
    left join offered on campaigns.campaign_id = offered.campaign_id
    left join redeemed on campaigns.campaign_id = redeemed.campaign_id
    left join promoted_sales on campaigns.campaign_id = promoted_sales.campaign_id
    where campaigns.campaign_key <> 0
)

select
    measured.campaign_id,
    measured.campaign_type,
    measured.start_date,
    measured.end_date,
    measured.observed_start_date,
    measured.observed_end_date,
    measured.is_window_cut,
    measured.contacts_count,
    {%- for count in [
        'coupons_offered_count', 'promoted_products_count', 'redemptions_count', 'redeeming_customers_count'
    ] %}
        {{ area_value('coupons', 'measured.' ~ count, 'integer') }} as {{ count }},
    {%- endfor %}
    {{ area_value(
        'coupons',
        'measured.redeeming_customers_count / nullif(cast(measured.contacts_count as ' ~ ratio_type() ~ '), 0)',
        'numeric(12, 8)'
    ) }} as redemption_rate,
    cast(measured.mailing_cost_amount as numeric(14, 2)) as mailing_cost_amount,
    {{ area_value('coupons', 'measured.coupon_match_cost_amount', 'numeric(14, 2)') }} as coupon_match_cost_amount,
    cast(measured.mailing_cost_amount + measured.coupon_match_cost_amount as numeric(14, 2)) as campaign_cost_amount,
    {{ area_value('coupons', 'measured.promoted_sales_amount', 'numeric(14, 2)') }} as promoted_sales_amount,
    compared.history_days_count,
    compared.before_days_count,
    compared.during_days_count,
    compared.before_days_count < compared.during_days_count as is_before_cut,
    compared.audience_count,
    compared.control_count,
    compared.audience_count < 30 or compared.control_count < 30 as is_small_group,
    compared.audience_before_daily_amount,
    compared.audience_during_daily_amount,
    compared.audience_change_rate,
    compared.control_before_daily_amount,
    compared.control_during_daily_amount,
    compared.control_change_rate,
    compared.audience_overlap_rate,
    compared.control_overlap_rate,
    compared.uplift_daily_amount,
    compared.uplift_lower_amount,
    compared.uplift_upper_amount,
    compared.uplift_rate,
    compared.uplift_lower_rate,
    compared.uplift_upper_rate,
    compared.detectable_rate,
    compared.p_value,
    compared.adjusted_p_value,
    compared.placebo_uplift_rate,
    compared.placebo_p_value,
    coalesce(compared.verdict, 'cannot tell') as verdict,
    coalesce(compared.verdict_reason, 'the data covers no day of it') as verdict_reason,
    cast(compared.incremental_amount as numeric(14, 2)) as incremental_sales_amount,
    cast(
        compared.incremental_amount
        / nullif(measured.mailing_cost_amount + measured.coupon_match_cost_amount, 0) as numeric(14, 6)
    ) as return_on_cost_rate
from measured
left join compared on measured.campaign_id = compared.campaign_id
