-- one row: one customer that bought in the trailing 365 days, with scores of recency, frequency and monetary value
with baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

sales_window as (
    select * from {{ ref('int_sales_window_measured') }}
),

segments as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        customers.customer_id,
        {{ dbt.datediff('max(baskets.business_date)', 'max(sales_window.as_of_date)', 'day') }} as recency_days_count,
        cast(count(*) as integer) as frequency_count,
        sum(baskets.net_sales_amount) as monetary_amount
    from baskets
    inner join customers on baskets.customer_key = customers.customer_key
    cross join sales_window
    where
        customers.customer_key <> 0
        and baskets.business_date <= sales_window.as_of_date
        and {{ dbt.datediff('baskets.business_date', 'sales_window.as_of_date', 'day') }} < 365
    group by customers.customer_id
),

-- percent_rank gives equal values the same rank, so that ties share a score
ranked as (
    select
        customer_id,
        recency_days_count,
        frequency_count,
        monetary_amount,
        percent_rank() over (order by recency_days_count desc nulls last) as recency_rank,
        percent_rank() over (order by frequency_count asc nulls last) as frequency_rank,
        percent_rank() over (order by monetary_amount asc nulls last) as monetary_rank
    from measured
),

scored as (
    select
        customer_id,
        recency_days_count,
        frequency_count,
        monetary_amount,
        cast(least(floor(recency_rank * 5) + 1, 5) as integer) as recency_score,
        cast(least(floor(frequency_rank * 5) + 1, 5) as integer) as frequency_score,
        cast(least(floor(monetary_rank * 5) + 1, 5) as integer) as monetary_score
    from ranked
)

select
    scored.customer_id,
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
