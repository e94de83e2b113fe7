-- one row: one customer whom a campaign's window (or placebo) can tell something of: what was expected, what came
{{ config(
    partition_by={
        'field': 'start_date', 'granularity': 'day',
        'spans': {'table': 'int_campaign_windows_observed', 'first': 'history_start_date', 'last': 'end_date'}
    },
    indexes=[{'columns': ['start_date']}]
) }}

with windows as (
    select * from {{ ref('int_campaign_windows_observed') }}
),

campaigns as (
    select * from {{ ref('dim_campaign') }}
),

contacts as (
    select * from {{ ref('fct_campaign_contacts') }}
),

days as (
    select * from {{ ref('int_customer_days_summed') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

-- a day of the past counts half as much as one 60 days later: that foretells what a customer spends next. Millionths
-- and cents are whole numbers, whose sum is exact in any order and, over millions of rows, cheap.
window_days as (
    select
        windows.campaign_id,
        windows.is_placebo,
        windows.start_date,
        dates.date_key,
        dates.date_key >= windows.start_date as is_during,
        dates.date_key >= windows.before_start_date and dates.date_key < windows.start_date as is_before,
        case
            when dates.date_key >= windows.start_date then 0
            else cast(round(1000000 * power(
                0.5, {{ dbt.datediff('dates.date_key', 'windows.start_date', 'day') }} / 60e0
            )) as bigint)
        end as weight_millionths
    from windows
    inner join dates on windows.history_start_date <= dates.date_key and windows.end_date >= dates.date_key
),

window_weights as (
    select
        campaign_id,
        is_placebo,
        start_date,
        sum(weight_millionths) as weight_millionths
    from window_days
    group by
        campaign_id,
        is_placebo,
        start_date
),

-- each day's cents once, and not once for each window that the day is in
customer_days as {{ at_once() }} (
    select
        customer_id,
        business_date,
        cast(100 * net_sales_amount as bigint) as net_sales_cents
    from days
),

spent as (
    select
        window_days.campaign_id,
        window_days.is_placebo,
        customer_days.customer_id,
        sum(customer_days.net_sales_cents * window_days.weight_millionths) as weighted_cents,
        sum(customer_days.net_sales_cents) filter (where window_days.is_before) as before_cents,
        sum(customer_days.net_sales_cents) filter (where window_days.is_during) as during_cents
    from customer_days
    inner join window_days on customer_days.business_date = window_days.date_key
    group by
        window_days.campaign_id,
        window_days.is_placebo,
        customer_days.customer_id
),

-- when, within a window, another campaign was running that was sent to the customer
other_spans as (
    select
        windows.campaign_id,
        windows.is_placebo,
        contacts.customer_id,
        greatest(windows.start_date, campaigns.start_date) as first_date,
        least(windows.end_date, campaigns.end_date) as last_date
    from windows
    inner join campaigns on windows.start_date <= campaigns.end_date and windows.end_date >= campaigns.start_date
    inner join contacts on campaigns.campaign_id = contacts.campaign_id
    where windows.campaign_id <> campaigns.campaign_id
),

placed as (
    select
        other_spans.*,
        max(last_date) over (
            partition by campaign_id, is_placebo, customer_id order by first_date asc, last_date asc
            rows between unbounded preceding and 1 preceding
        ) as counted_until_date
    from other_spans
),

-- a day on which several were running counts once
other_days as (
    select
        campaign_id,
        is_placebo,
        customer_id,
        sum({{ dbt.datediff(
            'greatest(first_date, ' ~ add_days('counted_until_date', 1) ~ ')', 'last_date', 'day'
        ) }} + 1) as other_days_count
    from placed
    where counted_until_date is null or counted_until_date < last_date
    group by
        campaign_id,
        is_placebo,
        customer_id
)

select
    spent.campaign_id,
    spent.is_placebo,
    window_weights.start_date,
    spent.customer_id,
    contacts.customer_id is not null as is_audience,
    cast(spent.weighted_cents / (100.0 * window_weights.weight_millionths) as numeric(14, 6)) as base_daily_amount,
    cast(coalesce(spent.before_cents, 0) / 100.0 as numeric(14, 2)) as before_sales_amount,
    cast(coalesce(spent.during_cents, 0) / 100.0 as numeric(14, 2)) as during_sales_amount,
    cast(coalesce(other_days.other_days_count, 0) as integer) as other_days_count
from spent
inner join window_weights
    on spent.campaign_id = window_weights.campaign_id and spent.is_placebo = window_weights.is_placebo
left join contacts on spent.campaign_id = contacts.campaign_id and spent.customer_id = contacts.customer_id
left join other_days
    on
        spent.campaign_id = other_days.campaign_id
        and spent.is_placebo = other_days.is_placebo
        and spent.customer_id = other_days.customer_id
where spent.weighted_cents > 0
