-- one row: one customer in the audience or in the control group of one campaign, with sales before and during it
with campaigns as (
    select * from {{ ref('dim_campaign') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

observed as (
    select
        campaign_id,
        observed_start_date,
        observed_end_date,
        {{ dbt.datediff('observed_start_date', 'observed_end_date', 'day') }} + 1 as during_days_count
    from campaigns
    where observed_start_date is not null
),

-- before: as many days as the observed window has, just ahead of it, as far back as the data goes
windows as (
    select
        observed.campaign_id,
        observed.observed_start_date,
        observed.observed_end_date,
        observed.during_days_count,
        greatest(
            cast({{ dbt.dateadd('day', '-observed.during_days_count', 'observed.observed_start_date') }} as date),
            sales_window.first_business_date
        ) as before_start_date
    from observed
    cross join sales_window
),

customer_days as (
    select
        customers.customer_id,
        baskets.business_date,
        sum(baskets.net_sales_amount) as net_sales_amount
    from baskets
    inner join customers on baskets.customer_key = customers.customer_key
    where {{ is_identified('customers.customer_key') }}
    group by
        customers.customer_id,
        baskets.business_date
),

active_customers as (
    select
        windows.campaign_id,
        customer_days.customer_id,
        coalesce(sum(customer_days.net_sales_amount) filter (
            where customer_days.business_date < windows.observed_start_date
        ), 0) as before_sales_amount,
        coalesce(sum(customer_days.net_sales_amount) filter (
            where customer_days.business_date >= windows.observed_start_date
        ), 0) as during_sales_amount
    from windows
    inner join customer_days
        on
            windows.before_start_date <= customer_days.business_date
            and windows.observed_end_date >= customer_days.business_date
    group by
        windows.campaign_id,
        customer_days.customer_id
),

-- whoever any campaign that ran in the window was sent to can't be a control
touched_customers as (
    select distinct
        windows.campaign_id,
        contacts.customer_id
    from windows
    inner join campaigns
        on
            windows.observed_end_date >= campaigns.start_date
            and windows.observed_start_date <= campaigns.end_date
    inner join contacts on campaigns.campaign_id = contacts.campaign_id
),

members as (
    select
        windows.campaign_id,
        contacts.customer_id,
        true as is_audience
    from windows
    inner join contacts on windows.campaign_id = contacts.campaign_id

    union all

    select
        active_customers.campaign_id,
        active_customers.customer_id,
        false as is_audience
    from active_customers
    left join touched_customers
        on
            active_customers.campaign_id = touched_customers.campaign_id
            and active_customers.customer_id = touched_customers.customer_id
    where touched_customers.customer_id is null
)

select
    members.campaign_id,
    members.customer_id,
    members.is_audience,
    {{ dbt.datediff('windows.before_start_date', 'windows.observed_start_date', 'day') }} as before_days_count,
    windows.during_days_count,
    cast(coalesce(active_customers.before_sales_amount, 0) as numeric(14, 2)) as before_sales_amount,
    cast(coalesce(active_customers.during_sales_amount, 0) as numeric(14, 2)) as during_sales_amount
from members
inner join windows on members.campaign_id = windows.campaign_id
left join active_customers
    on
        members.campaign_id = active_customers.campaign_id
        and members.customer_id = active_customers.customer_id
