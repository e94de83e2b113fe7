-- one row: one store, day of the week or hour, and how many baskets one customer had there or then in one month
{%- set members = {
    'store': 'baskets.store_key', 'weekday': 'baskets.weekday_number', 'hour': 'baskets.business_hour'
} %}
{{ config(partition_by={'field': 'month_start_date', 'granularity': 'month'}) }}

with all_baskets as (
    select * from {{ ref('fct_baskets') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

baskets as (
    select
        all_baskets.*,
        cast({{ dbt.date_trunc('month', 'business_date') }} as date) as month_start_date,
        {{ dbt.datediff(dbt.date_trunc('week', 'business_date'), 'business_date', 'day') }} + 1 as weekday_number
    from all_baskets
    where
        {{ is_identified('customer_key') }}
        and business_date <= {{ date_or('as_of_date', "'9999-12-31'") }}
),

counted as (
    select
        baskets.month_start_date,
        customers.customer_id,
        case
            {%- for kind, member in members.items() %}
                when grouping({{ member }}) = 0 then '{{ kind }}'
            {%- endfor %}
        end as kind,
        coalesce({{ members.values() | join(', ') }}) as member_number,
        count(*) as baskets_count
    from baskets
    inner join customers on baskets.customer_key = customers.customer_key
    group by
        grouping sets (
            {%- for member in members.values() %}
                (baskets.month_start_date, customers.customer_id, {{ member }}){{ ',' if not loop.last }}
            {%- endfor %}
        )
)

-- of some baskets, only the day is known
select
    month_start_date,
    customer_id,
    kind,
    cast(member_number as bigint) as member_number,
    cast(baskets_count as integer) as baskets_count
from counted
where member_number is not null
