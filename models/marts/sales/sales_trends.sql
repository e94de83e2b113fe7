-- one row: one week or month, in one department or in all of them
{%- set averages = [(4, 'week'), (13, 'week'), (3, 'month')] %}
with department_days as (
    select * from {{ ref('int_department_days_summed') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

department_periods as (
    {%- for period_type in ['week', 'month'] %}
        select
            '{{ period_type }}' as period_type,
            cast({{ dbt.date_trunc(period_type, 'department_days.business_date') }} as date) as period_start_date,
            department_days.department,
            sum(department_days.net_sales_amount) as net_sales_amount
        from department_days
        inner join sales_window on department_days.business_date <= sales_window.as_of_date
        group by
            cast({{ dbt.date_trunc(period_type, 'department_days.business_date') }} as date),
            department_days.department
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

listed as (
    select
        period_type,
        period_start_date,
        department,
        false as is_all_departments,
        net_sales_amount
    from department_periods

    union all

    select
        period_type,
        period_start_date,
        'ALL DEPARTMENTS' as department,
        true as is_all_departments,
        sum(net_sales_amount) as net_sales_amount
    from department_periods
    group by
        period_type,
        period_start_date
),

departments as (
    select distinct
        department,
        is_all_departments
    from listed
),

filled as (
    select
        periods.period_type,
        periods.period_start_date,
        departments.department,
        departments.is_all_departments,
        periods.year_position,
        periods.days_count,
        periods.is_partial_period,
        coalesce(listed.net_sales_amount, 0) as net_sales_amount
    from periods
    cross join departments
    left join listed
        on
            periods.period_type = listed.period_type
            and periods.period_start_date = listed.period_start_date
            and departments.department = listed.department
),

with_totals as (
    select
        filled.*,
        max(case when is_all_departments then net_sales_amount end)
            over (partition by period_type, period_start_date) as all_sales_amount,
        -- whole periods only: a partial one has no sales for an average, and no place in the index
        case when not is_partial_period then net_sales_amount end as whole_sales_amount,
        case when not is_partial_period then days_count end as whole_days_count
    from filled
),

windowed as (
    select
        with_totals.*,
        lag(net_sales_amount) over series as previous_net_sales_amount,
        lag(all_sales_amount) over series as previous_all_sales_amount,
        lag(is_partial_period) over series as is_previous_partial,
        {%- for length, period_type in averages %}
            case
                when count(whole_sales_amount) over last_{{ length }} = {{ length }}
                    then avg(whole_sales_amount) over last_{{ length }}
            end as mean_of_{{ length }}_amount,
        {%- endfor %}
        sum(whole_sales_amount) over position / sum(whole_days_count) over position as position_daily_amount,
        count(whole_sales_amount) over position as seasonal_years_count,
        sum(whole_sales_amount) over span / sum(whole_days_count) over span as daily_amount,
        var_samp(whole_sales_amount) over earlier as earlier_variance,
        count(whole_sales_amount) over earlier as earlier_count
    from with_totals
    window
        series as (partition by period_type, department order by period_start_date asc nulls last),
        earlier as (
            partition by period_type, department order by period_start_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ),
        {%- for length, period_type in averages %}
            last_{{ length }} as (
                partition by period_type, department order by period_start_date asc nulls last
                rows between {{ length - 1 }} preceding and current row
            ),
        {%- endfor %}
        position as (partition by period_type, department, year_position),
        span as (partition by period_type, department)
)

select
    period_type,
    period_start_date,
    department,
    is_all_departments,
    days_count,
    is_partial_period,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(previous_net_sales_amount as numeric(14, 2)) as previous_net_sales_amount,
    cast(net_sales_amount - previous_net_sales_amount as numeric(14, 2)) as net_sales_change_amount,
    cast((net_sales_amount - previous_net_sales_amount) / nullif(previous_net_sales_amount, 0) as numeric(14, 6))
        as net_sales_change_rate,
    cast((net_sales_amount - previous_net_sales_amount) / nullif(previous_all_sales_amount, 0) as numeric(14, 6))
        as change_contribution_rate,
    not is_partial_period and not coalesce(is_previous_partial, true) as is_change_comparable,
    -- three standard errors of a difference, if periods vary as the earlier ones did: 9 x 2 variances
    case when earlier_count >= 8 and not is_partial_period then 18 * earlier_variance end
    < power(net_sales_amount - previous_net_sales_amount, 2) as is_change_beyond_chance,
    {%- for length, period_type in averages %}
        cast(case when period_type = '{{ period_type }}' then mean_of_{{ length }}_amount end as numeric(14, 6))
            as moving_average_{{ length }}_{{ period_type }}s_amount,
    {%- endfor %}
    cast(case when seasonal_years_count > 1 then position_daily_amount / nullif(daily_amount, 0) end as numeric(14, 6))
        as seasonal_index,
    cast(seasonal_years_count as integer) as seasonal_years_count
from windowed
