-- The marketing and sales marts tell one story: each figure that two of them hold, or one of them and the facts, is the
-- same. Marts about customers hold the sales of those who are known, sales_by_hour those whose hour is known. A mart
-- without rows fails, unless there are no sales (that fct_sales has what was delivered is another test's).
-- Figures of campaigns are compared with coupons, whose redemptions are all that two of their marts hold.
with fct_sales as (
    select * from {{ ref('fct_sales') }}
),

int_sales_window_measured as (
    select * from {{ ref('int_sales_window_measured') }}
),

sales_trends as (
    select * from {{ ref('sales_trends') }}
),

sales_by_hour as (
    select * from {{ ref('sales_by_hour') }}
),

store_performance as (
    select * from {{ ref('store_performance') }}
),

cohort_retention as (
    select * from {{ ref('cohort_retention') }}
),

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

customer_profiles as (
    select * from {{ ref('customer_profiles') }}
),

segment_migration as (
    select * from {{ ref('segment_migration') }}
),

{% if area_is_on('coupons') %}
    campaign_performance as (
        select * from {{ ref('campaign_performance') }}
    ),

    campaign_daily as (
        select * from {{ ref('campaign_daily') }}
    ),

    coupon_performance as (
        select * from {{ ref('coupon_performance') }}
    ),

{% endif %}

window_sales as (
    select
        sum(sales.net_sales_amount) as net_sales_amount,
        count(distinct sales.basket_id) filter (where sales.line_kind = 'sale') as baskets_count,
        sum(sales.net_sales_amount) filter (where {{ is_identified('sales.customer_key') }})
            as net_sales_amount_of_the_identified,
        count(distinct sales.basket_id) filter (
            where {{ is_identified('sales.customer_key') }} and sales.line_kind = 'sale'
        ) as baskets_count_of_the_identified,
        sum(sales.net_sales_amount) filter (where sales.business_hour is not null) as net_sales_amount_of_known_hours,
        count(distinct sales.basket_id) filter (
            where sales.business_hour is not null and sales.line_kind = 'sale'
        ) as baskets_count_of_known_hours
    from fct_sales as sales
    inner join int_sales_window_measured as sales_window on sales.business_date <= sales_window.as_of_date
),

figures as (
    {%- for mart, measure, filter in [
        ('sales_trends', 'net_sales_amount', "mart.period_type = 'week' and mart.is_all_departments"),
        ('sales_trends', 'net_sales_amount', "mart.period_type = 'week' and not mart.is_all_departments"),
        ('sales_trends', 'net_sales_amount', "mart.period_type = 'month' and mart.is_all_departments"),
        ('sales_trends', 'net_sales_amount', "mart.period_type = 'month' and not mart.is_all_departments"),
        ('sales_by_hour', 'net_sales_amount', 'mart.is_all_departments'),
        ('sales_by_hour', 'net_sales_amount', 'not mart.is_all_departments'),
        ('sales_by_hour', 'baskets_count', 'mart.is_all_departments'),
        ('store_performance', 'net_sales_amount', 'true'),
        ('store_performance', 'baskets_count', 'true'),
        ('cohort_retention', 'net_sales_amount', 'of the identified'),
        ('customer_segments', 'net_sales_amount', 'of the identified'),
        ('customer_segments', 'baskets_count', 'of the identified'),
    ] %}
        select
            '{{ mart }}, {{ measure }} where {{ filter | replace("'", "") }}' as figure,
            {%- if filter == 'of the identified' %}
                max(window_sales.{{ measure }}_of_the_identified) as expected_amount,
            {%- elif mart == 'sales_by_hour' %}
                max(window_sales.{{ measure }}_of_known_hours) as expected_amount,
            {%- else %}
                max(window_sales.{{ measure }}) as expected_amount,
            {%- endif %}
            sum(mart.{{ measure }}) as actual_amount
        from window_sales
        left join {{ mart }} as mart on {{ 'true' if filter == 'of the identified' else filter }}

        union all
    {%- endfor %}

    {%- if area_is_on('coupons') %}

        select
            'campaign_daily, redemptions of campaign ' || campaigns.campaign_id as figure,
            campaigns.redemptions_count as expected_amount,
            sum(campaign_days.redemptions_count) as actual_amount
        from campaign_performance as campaigns
        left join campaign_daily as campaign_days on campaigns.campaign_id = campaign_days.campaign_id
        where campaigns.observed_start_date is not null
        group by
            campaigns.campaign_id,
            campaigns.redemptions_count

        union all

        select
            'coupon_performance, redemptions of campaign ' || campaigns.campaign_id as figure,
            campaigns.redemptions_count as expected_amount,
            sum(coupons.redemptions_count) as actual_amount
        from campaign_performance as campaigns
        left join coupon_performance as coupons on campaigns.campaign_id = coupons.campaign_id
        where campaigns.coupons_offered_count > 0
        group by
            campaigns.campaign_id,
            campaigns.redemptions_count

        union all
    {%- endif %}

    select
        'segment ' || segments.segment_name || ', customers of the profiles' as figure,
        segments.customers_count as expected_amount,
        (
            select count(*) from customer_profiles as profiles
            where profiles.segment_name = segments.segment_name
        ) as actual_amount
    from customer_segments as segments
    inner join int_sales_window_measured as sales_window
        on segments.scored_on_date = sales_window.as_of_date

    union all

    select
        'segment_migration, customers of ' || segments.segment_name || ' ' || segments.month_start_date as figure,
        segments.customers_count as expected_amount,
        (
            select coalesce(sum(moves.customers_count), 0) from segment_migration as moves
            where
                moves.month_start_date = segments.month_start_date
                and moves.to_segment_name = segments.segment_name
        ) as actual_amount
    from customer_segments as segments
    where
        segments.month_start_date > (
            select min(first_segments.month_start_date) from customer_segments as first_segments
        )

    union all

    select
        'customer_value, value of 12 months' as figure,
        (
            select sum(monetary_amount) from {{ ref('customer_profiles') }}
        ) as expected_amount,
        (
            select sum(twelve_month_value_amount) from {{ ref('customer_value') }}
        ) as actual_amount
)

select
    figure,
    expected_amount,
    actual_amount
from figures
where coalesce(expected_amount, 0) <> coalesce(actual_amount, 0)
