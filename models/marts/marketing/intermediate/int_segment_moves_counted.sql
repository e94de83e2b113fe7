-- one row: one segment at the end of the month before and one at the month's end, and how many customers moved so
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month',
    'spans': {'table': 'int_months_observed', 'first': 'previous_month_start_date', 'last': 'observed_end_date'}
}) }}

with scores as (
    select * from {{ ref('int_customer_rfm_scored') }}
),

months as (
    select * from {{ ref('int_months_observed') }}
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
)

select
    coalesce(before.month_start_date, after.month_start_date) as month_start_date,
    coalesce(before.segment_name, 'Inactive') as from_segment_name,
    coalesce(after.segment_name, 'Inactive') as to_segment_name,
    cast(count(*) as integer) as customers_count
from before
full outer join after
    on
        before.month_start_date = after.month_start_date
        and before.customer_id = after.customer_id
group by
    coalesce(before.month_start_date, after.month_start_date),
    coalesce(before.segment_name, 'Inactive'),
    coalesce(after.segment_name, 'Inactive')
