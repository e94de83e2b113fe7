-- one row: one customer, whether or not it ever bought
{%- set days_since_last = dbt.datediff('purchases.last_purchase_date', 'current_customers.as_of_date', 'day') %}
with customers as (
    select * from {{ ref('dim_customer') }}
),

customer_months as (
    select * from {{ ref('int_customer_months_summed') }}
),

contacts as (
    select * from {{ area_ref('loyalty', 'fct_campaign_contacts', {'customer_id': var('customer_id_type')}) }}
),

redemptions as (
    select * from {{ area_ref('coupons', 'fct_coupon_redemptions', {
        'customer_id': var('customer_id_type'), 'redemptions_count': 'integer'
    }) }}
),

rfm as (
    select * from {{ ref('int_customer_rfm_scored') }}
),

favourites as (
    select * from {{ ref('int_customer_favourites_ranked') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

purchases as (
    select
        customer_id,
        min(first_purchase_date) as first_purchase_date,
        max(last_purchase_date) as last_purchase_date,
        cast(sum(baskets_count) as integer) as baskets_count,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(net_sales_amount) as net_sales_amount,
        sum(discount_amount) as discount_amount,
        sum(coupon_baskets_count) as coupon_baskets_count
    from customer_months
    group by customer_id
),

contacted as (
    select
        customer_id,
        cast(count(*) as integer) as campaigns_received_count
    from contacts
    group by customer_id
),

redeemed as (
    select
        customer_id,
        cast(sum(redemptions_count) as integer) as coupon_redemptions_count
    from redemptions
    group by customer_id
),

current_customers as (
    select
        customers.*,
        sales_window.as_of_date
    from customers
    cross join sales_window
    where customers.is_current and {{ is_identified('customers.customer_key') }}
)

select
    current_customers.customer_id,
    current_customers.age_band,
    current_customers.income_band,
    current_customers.home_ownership,
    current_customers.marital_status,
    current_customers.household_size,
    current_customers.household_composition,
    current_customers.kids_count,
    current_customers.has_demographics,
    purchases.first_purchase_date,
    purchases.last_purchase_date,
    coalesce(purchases.baskets_count, 0) as baskets_count,
    coalesce(purchases.baskets_count, 0) < 30 as is_small_number,
    cast(coalesce(purchases.net_sales_amount, 0) as numeric(14, 2)) as net_sales_amount,
    cast(purchases.net_sales_amount / nullif(purchases.baskets_count, 0) as numeric(14, 6)) as average_basket_amount,
    cast(purchases.discount_amount / nullif(purchases.gross_sales_amount, 0) as numeric(12, 8)) as discount_rate,
    cast(
        purchases.coupon_baskets_count / nullif(cast(purchases.baskets_count as {{ ratio_type() }}), 0)
        as numeric(12, 8)
    ) as coupon_basket_rate,
    {{ area_value('coupons', 'coalesce(redeemed.coupon_redemptions_count, 0)', 'integer') }}
        as coupon_redemptions_count,
    favourites.favourite_department,
    favourites.favourite_store_id,
    favourites.favourite_weekday_name,
    favourites.favourite_hour,
    favourites.private_brand_rate,
    case
        when purchases.customer_id is null then 'Prospect'
        when {{ days_since_last }} > 90 then 'Lapsed'
        when {{ days_since_last }} > 30 then 'Lapsing'
        when {{ dbt.datediff('purchases.first_purchase_date', 'current_customers.as_of_date', 'day') }} < 90 then 'New'
        else 'Active'
    end as lifecycle_stage,
    rfm.recency_days_count,
    rfm.frequency_count,
    rfm.monetary_amount,
    rfm.recency_score,
    rfm.frequency_score,
    rfm.monetary_score,
    rfm.segment_name,
    {{ area_value('loyalty', 'coalesce(contacted.campaigns_received_count, 0)', 'integer') }}
        as campaigns_received_count
from current_customers
left join purchases on current_customers.customer_id = purchases.customer_id
left join contacted on current_customers.customer_id = contacted.customer_id
left join redeemed on current_customers.customer_id = redeemed.customer_id
left join rfm
    on
        current_customers.customer_id = rfm.customer_id
        and current_customers.as_of_date = rfm.scored_on_date
left join favourites on current_customers.customer_id = favourites.customer_id
