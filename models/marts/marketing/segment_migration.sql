-- one row: one segment at the end of the month before and one at the month's end, with the customers that were in both
with scores as (
    select * from {{ ref('int_customer_rfm_scored') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

months as (
    select
        periods.period_start_date as month_start_date,
        lag(periods.period_start_date) over (
            order by periods.period_start_date asc nulls last
        ) as previous_month_start_date,
        periods.is_partial_period as is_partial_month,
        {{ dbt.datediff('sales_window.first_business_date', 'periods.observed_end_date', 'day') }} < 364
            as is_window_cut
    from periods
    cross join sales_window
    where periods.period_type = 'month'
),

before as (
    select
        months.month_start_date,
        scores.customer_id,
        scores.segment_name
    from months
    inner join scores on months.previous_month_start_date = scores.month_start_date
),

after as (
    select
        months.month_start_date,
        scores.customer_id,
        scores.segment_name
    from months
    inner join scores on months.month_start_date = scores.month_start_date
    where months.previous_month_start_date is not null
),

moved as (
    select
        coalesce(before.month_start_date, after.month_start_date) as month_start_date,
        coalesce(before.segment_name, 'Inactive') as from_segment_name,
        coalesce(after.segment_name, 'Inactive') as to_segment_name,
        count(*) as customers_count
    from before
    full outer join after
        on
            before.month_start_date = after.month_start_date
            and before.customer_id = after.customer_id
    group by
        coalesce(before.month_start_date, after.month_start_date),
        coalesce(before.segment_name, 'Inactive'),
        coalesce(after.segment_name, 'Inactive')
),

with_totals as (
    select
        moved.*,
        sum(customers_count) over (partition by month_start_date, from_segment_name) as from_customers_count
    from moved
)

select
    with_totals.month_start_date,
    with_totals.from_segment_name,
    with_totals.to_segment_name,
    months.is_partial_month,
    months.is_window_cut,
    with_totals.from_segment_name = with_totals.to_segment_name as is_same_segment,
    cast(with_totals.customers_count as integer) as customers_count,
    cast(with_totals.from_customers_count as integer) as from_customers_count,
    cast(
        case
            when with_totals.from_segment_name <> 'Inactive'
                then with_totals.customers_count / with_totals.from_customers_count
        end as numeric(12, 8)
    ) as migration_rate,
    with_totals.from_customers_count < 30 as is_small_group
from with_totals
inner join months on with_totals.month_start_date = months.month_start_date
