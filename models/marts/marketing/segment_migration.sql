-- one row: one segment at the end of the month before and one at the month's end, with the customers that were in both
with moves as (
    select * from {{ ref('int_segment_moves_counted') }}
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

-- the first month has none before it
moved as (
    select moves.*
    from moves
    inner join months on moves.month_start_date = months.month_start_date
    where months.previous_month_start_date is not null
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
                then cast(with_totals.customers_count as {{ ratio_type() }}) / with_totals.from_customers_count
        end as numeric(12, 8)
    ) as migration_rate,
    with_totals.from_customers_count < 30 as is_small_group
from with_totals
inner join months on with_totals.month_start_date = months.month_start_date
