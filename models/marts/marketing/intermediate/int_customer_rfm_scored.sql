-- one row: one customer at one month's end (or the as-of date) that bought in the 365 days up to it, with its scores
with baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

segments as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        periods.observed_end_date as scored_on_date,
        periods.period_start_date as month_start_date,
        customers.customer_id,
        {{ dbt.datediff('max(baskets.business_date)', 'periods.observed_end_date', 'day') }} as recency_days_count,
        cast(count(*) filter (where baskets.is_sale) as integer) as frequency_count,
        sum(baskets.net_sales_amount) as monetary_amount
    from periods
    inner join baskets
        on
            periods.observed_end_date >= baskets.business_date
            and {{ dbt.datediff('baskets.business_date', 'periods.observed_end_date', 'day') }} < 365
    inner join customers on baskets.customer_key = customers.customer_key
    where
        periods.period_type = 'month'
        and {{ is_identified('customers.customer_key') }}
    group by
        periods.observed_end_date,
        periods.period_start_date,
        customers.customer_id
),

-- percent_rank gives equal values the same rank, so that ties share a score
ranked as (
    select
        measured.*,
        percent_rank() over (
            partition by scored_on_date order by recency_days_count desc nulls last
        ) as recency_rank,
        percent_rank() over (
            partition by scored_on_date order by frequency_count asc nulls last
        ) as frequency_rank,
        percent_rank() over (
            partition by scored_on_date order by monetary_amount asc nulls last
        ) as monetary_rank
    from measured
),

scored as (
    select
        ranked.*,
        cast(least(floor(recency_rank * 5) + 1, 5) as integer) as recency_score,
        cast(least(floor(frequency_rank * 5) + 1, 5) as integer) as frequency_score,
        cast(least(floor(monetary_rank * 5) + 1, 5) as integer) as monetary_score
    from ranked
)

select
    scored.scored_on_date,
    scored.customer_id,
    scored.month_start_date,
    scored.recency_days_count,
    scored.frequency_count,
    cast(scored.monetary_amount as numeric(14, 2)) as monetary_amount,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    segments.segment_name
from scored
left join segments
    on
        scored.recency_score = segments.recency_score
        and scored.frequency_score = segments.frequency_score
        and scored.monetary_score = segments.monetary_score
