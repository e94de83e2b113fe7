-- one row: one customer at one month's end (or the as-of date) that bought in the 365 days up to it, with its scores
{{ config(
    partition_by={
        'field': 'month_start_date', 'granularity': 'month',
        'spans': {'table': 'int_months_observed', 'first': 'year_start_date', 'last': 'observed_end_date'}
    },
    indexes=[{'columns': ['month_start_date']}]
) }}

with customer_days as (
    select * from {{ ref('int_customer_days_summed') }}
),

months as (
    select * from {{ ref('int_months_observed') }}
),

segments as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        months.observed_end_date as scored_on_date,
        months.month_start_date,
        customer_days.customer_id,
        {{ dbt.datediff('max(customer_days.business_date)', 'months.observed_end_date', 'day') }}
            as recency_days_count,
        cast(sum(customer_days.baskets_count) as integer) as frequency_count,
        sum(customer_days.net_sales_amount) as monetary_amount,
        coalesce(sum(customer_days.baskets_count) filter (
            where customer_days.business_date >= months.month_start_date
        ), 0) as month_baskets_count,
        coalesce(sum(customer_days.net_sales_amount) filter (
            where customer_days.business_date >= months.month_start_date
        ), 0) as month_net_sales_amount
    from months
    inner join customer_days
        on
            months.year_start_date <= customer_days.business_date
            and months.observed_end_date >= customer_days.business_date
    group by
        months.observed_end_date,
        months.month_start_date,
        customer_days.customer_id
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
    segments.segment_name,
    cast(scored.month_baskets_count as integer) as month_baskets_count,
    cast(scored.month_net_sales_amount as numeric(14, 2)) as month_net_sales_amount
from scored
left join segments
    on
        scored.recency_score = segments.recency_score
        and scored.frequency_score = segments.frequency_score
        and scored.monetary_score = segments.monetary_score
