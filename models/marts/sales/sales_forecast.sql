-- one row: one department, or all of them, in one week to come
{%- set methods = ['mean_of_4', 'recent_1', 'recent_4', 'recent_16', 'seasonal_4', 'seasonal_16'] %}
with backtested as (
    select * from {{ ref('int_sales_forecasts_backtested') }}
),

chosen as (
    select * from {{ ref('int_sales_methods_chosen') }}
),

newest_methods as (
    select
        backtested.department,
        coalesce(max(chosen.forecast_method), 'mean_of_4') as forecast_method
    from backtested
    left join chosen
        on
            backtested.department = chosen.department
            and backtested.origin_number = chosen.origin_number
    where backtested.is_newest
    group by backtested.department
),

-- `said` is what was said at the time, by the method chosen then; `saying` what the method of today would have said
forecasts as (
    select
        backtested.*,
        newest_methods.forecast_method,
        {%- for name, table in [('said', 'chosen'), ('saying', 'newest_methods')] %}
            coalesce(case {{ table }}.forecast_method
                {%- for method in methods %}
                    when '{{ method }}' then backtested.{{ method }}_amount
                {%- endfor %}
            end, backtested.mean_of_4_amount) as {{ name }}_amount,
        {%- endfor %}
        max(backtested.origin_number) over () >= 103 as has_two_years
    from backtested
    inner join newest_methods on backtested.department = newest_methods.department
    left join chosen
        on
            backtested.department = chosen.department
            and backtested.origin_number = chosen.origin_number
),

judged as (
    select
        department,
        count(distinct origin_number) as origins_count,
        avg(abs(actual_amount - said_amount)) as said_error,
        avg(abs(actual_amount - mean_of_4_amount)) as mean_error,
        avg(abs(actual_amount - said_amount)) filter (where has_two_years and seasonal_naive_amount is not null)
            as beside_naive_error,
        avg(abs(actual_amount - seasonal_naive_amount)) filter (where has_two_years) as naive_error
    from forecasts
    where actual_amount is not null
    group by department
),

-- of n origins h weeks ahead hardly n / h are independent: the variance is taken as greater by half of h / n
spreads as (
    select
        department,
        weeks_ahead,
        sqrt(avg(power(actual_amount - saying_amount, 2)) * (1 + weeks_ahead / (2.0 * count(*)))) as spread
    from forecasts
    where actual_amount is not null
    group by
        department,
        weeks_ahead
    having count(*) >= 8
)

select
    forecasts.department,
    forecasts.week_start_date,
    forecasts.is_all_departments,
    forecasts.weeks_ahead,
    cast(greatest(forecasts.saying_amount, 0) as numeric(14, 2)) as forecast_amount,
    {%- for level, quantile in [('80', '1.2816'), ('95', '1.9600')] %}
        {%- for end, sign in [('lower', '-'), ('upper', '+')] %}
            cast(
                case
                    when spreads.spread is not null
                        then greatest(forecasts.saying_amount {{ sign }} {{ quantile }} * spreads.spread, 0)
                end as numeric(14, 2)
            ) as {{ end }}_{{ level }}_amount,
        {%- endfor %}
    {%- endfor %}
    forecasts.forecast_method,
    cast(coalesce(judged.origins_count, 0) as integer) as origins_count,
    cast(judged.said_error as numeric(14, 2)) as mean_error_amount,
    cast(judged.mean_error as numeric(14, 2)) as mean_of_4_error_amount,
    cast(judged.said_error / nullif(judged.mean_error, 0) as numeric(14, 6)) as error_to_mean_of_4_rate,
    cast(judged.beside_naive_error / nullif(judged.naive_error, 0) as numeric(14, 6)) as error_to_seasonal_naive_rate,
    case
        when coalesce(judged.origins_count, 0) < 8 then 'cannot tell'
        when judged.said_error >= judged.mean_error then 'no better than the mean of 4 weeks'
        when judged.beside_naive_error >= judged.naive_error then 'no better than the year before'
        else 'better'
    end as verdict
from forecasts
left join judged on forecasts.department = judged.department
left join spreads
    on
        forecasts.department = spreads.department
        and forecasts.weeks_ahead = spreads.weeks_ahead
where forecasts.is_newest
