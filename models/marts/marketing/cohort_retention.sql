-- one row: one cohort, the customers that first bought in one month, in one month since
with customer_months as (
    select * from {{ ref('int_customer_months_summed') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

months as (
    select
        period_start_date as month_start_date,
        observed_end_date,
        is_partial_period as is_partial_month,
        period_start_date = min(period_start_date) over (partition by period_type) as is_first_month
    from periods
    where period_type = 'month'
),

first_months as (
    select
        customer_id,
        min(month_start_date) as cohort_month_start_date
    from customer_months
    group by customer_id
),

cohorts as (
    select
        cohort_month_start_date,
        count(*) as cohort_customers_count
    from first_months
    group by cohort_month_start_date
),

cohort_months as (
    select
        first_months.cohort_month_start_date,
        customer_months.month_start_date,
        count(*) as active_customers_count,
        sum(customer_months.net_sales_amount) as net_sales_amount
    from customer_months
    inner join first_months on customer_months.customer_id = first_months.customer_id
    group by
        first_months.cohort_month_start_date,
        customer_months.month_start_date
),

filled as (
    select
        cohorts.cohort_month_start_date,
        months.month_start_date,
        {{ dbt.datediff('cohorts.cohort_month_start_date', 'months.month_start_date', 'month') }} as months_since_count,
        months.is_partial_month,
        cohort_begins.is_first_month as is_cohort_cut,
        cohorts.cohort_customers_count,
        cast(cohorts.cohort_customers_count as {{ ratio_type() }}) as trials,
        coalesce(cohort_months.active_customers_count, 0) as active_customers_count,
        coalesce(cohort_months.net_sales_amount, 0) as net_sales_amount
    from cohorts
    inner join months as cohort_begins on cohorts.cohort_month_start_date = cohort_begins.month_start_date
    inner join months on cohorts.cohort_month_start_date <= months.month_start_date
    left join cohort_months
        on
            cohorts.cohort_month_start_date = cohort_months.cohort_month_start_date
            and months.month_start_date = cohort_months.month_start_date
),

measured as (
    select
        filled.*,
        active_customers_count / trials as retention_rate,
        sum(net_sales_amount) over (
            partition by cohort_month_start_date order by month_start_date asc nulls last
            rows between unbounded preceding and current row
        ) as cumulative_net_sales_amount
    from filled
)

select
    cohort_month_start_date,
    cast(months_since_count as integer) as months_since_count,
    month_start_date,
    is_partial_month,
    is_cohort_cut,
    cast(cohort_customers_count as integer) as cohort_customers_count,
    cast(active_customers_count as integer) as active_customers_count,
    cast(retention_rate as numeric(12, 8)) as retention_rate,
    cast({{ wilson_bound('active_customers_count', 'trials', '-') }} as numeric(12, 8)) as retention_lower_rate,
    cast({{ wilson_bound('active_customers_count', 'trials', '+') }} as numeric(12, 8)) as retention_upper_rate,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(cumulative_net_sales_amount as numeric(14, 2)) as cumulative_net_sales_amount,
    cast(cumulative_net_sales_amount / trials as numeric(14, 6)) as cumulative_customer_sales_amount,
    cohort_customers_count < 30 as is_small_group
from measured
