-- one row: one segment in one month, by its customers' scores at the month's end
with scores as (
    select * from {{ ref('int_customer_rfm_scored') }}
),

named_segments as (
    select * from {{ ref('rfm_segments') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

segments as (
    select distinct segment_name from named_segments
),

segment_months as (
    select
        month_start_date,
        segment_name,
        count(*) as customers_count,
        sum(monetary_amount) as monetary_amount,
        sum(month_baskets_count) as baskets_count,
        sum(month_net_sales_amount) as net_sales_amount
    from scores
    group by
        month_start_date,
        segment_name
),

filled as (
    select
        periods.period_start_date as month_start_date,
        segments.segment_name,
        periods.observed_end_date as scored_on_date,
        periods.is_partial_period as is_partial_month,
        {{ dbt.datediff('sales_window.first_business_date', 'periods.observed_end_date', 'day') }} < 364
            as is_window_cut,
        coalesce(segment_months.customers_count, 0) as customers_count,
        coalesce(segment_months.monetary_amount, 0) as monetary_amount,
        coalesce(segment_months.baskets_count, 0) as baskets_count,
        coalesce(segment_months.net_sales_amount, 0) as net_sales_amount
    from periods
    cross join segments
    cross join sales_window
    left join segment_months
        on
            periods.period_start_date = segment_months.month_start_date
            and segments.segment_name = segment_months.segment_name
    where periods.period_type = 'month'
)

select
    month_start_date,
    segment_name,
    scored_on_date,
    is_partial_month,
    is_window_cut,
    cast(customers_count as integer) as customers_count,
    cast(
        customers_count / nullif(sum(customers_count) over (partition by month_start_date), 0) as numeric(12, 8)
    ) as customers_share_rate,
    cast(monetary_amount as numeric(14, 2)) as monetary_amount,
    cast(baskets_count as integer) as baskets_count,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(
        net_sales_amount / nullif(sum(net_sales_amount) over (partition by month_start_date), 0) as numeric(12, 8)
    ) as sales_share_rate,
    cast(net_sales_amount / nullif(baskets_count, 0) as numeric(14, 6)) as average_basket_amount,
    customers_count < 30 as is_small_group
from filled
