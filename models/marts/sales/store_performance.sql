-- one row: one store in one month, from the month of its first sale to the as-of date, months without sales included
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month',
    'reads_before': {'int_stores_started': 'all', 'int_store_months_summed': 1}
}) }}
{%- set has_previous = 'started.first_month_start_date < months.month_start_date' %}

with store_months as (
    select * from {{ ref('int_store_months_summed') }}
),

started as (
    select * from {{ ref('int_stores_started') }}
),

months as (
    select * from {{ ref('int_months_begun') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

filled as (
    select
        stores.store_id,
        stores.has_promotions,
        months.month_start_date,
        months.is_partial_month,
        months.days_count,
        coalesce(sold.gross_sales_amount, 0) as gross_sales_amount,
        coalesce(sold.net_sales_amount, 0) as net_sales_amount,
        coalesce(sold.discount_amount, 0) as discount_amount,
        coalesce(sold.units_count, 0) as units_count,
        coalesce(sold.baskets_count, 0) as baskets_count,
        coalesce(sold.customers_count, 0) as customers_count,
        coalesce(sold.days_traded_count, 0) as days_traded_count,
        case when {{ has_previous }} then months.previous_days_count end as previous_days_count,
        case when {{ has_previous }} then coalesce(previous.baskets_count, 0) end as previous_baskets_count,
        case when {{ has_previous }} then coalesce(previous.net_sales_amount, 0) end as previous_net_sales_amount
    from started
    inner join stores on started.store_key = stores.store_key
    inner join months on started.first_month_start_date <= months.month_start_date
    left join store_months as sold
        on
            started.store_key = sold.store_key
            and months.month_start_date = sold.month_start_date
    left join store_months as previous
        on
            started.store_key = previous.store_key
            and cast({{ dbt.dateadd('month', -1, 'months.month_start_date') }} as date) = previous.month_start_date
),

-- equal sales share a rank
compared as (
    select
        filled.*,
        rank() over (partition by month_start_date order by net_sales_amount desc nulls last) as sales_rank,
        sum(net_sales_amount) over (partition by month_start_date) as month_sales_amount
    from filled
)

select
    store_id,
    month_start_date,
    has_promotions,
    is_partial_month,
    cast(gross_sales_amount as numeric(14, 2)) as gross_sales_amount,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(baskets_count as integer) as baskets_count,
    cast(customers_count as integer) as customers_count,
    cast(days_traded_count as integer) as days_traded_count,
    cast(net_sales_amount / nullif(baskets_count, 0) as numeric(14, 6)) as average_basket_amount,
    cast(units_count / nullif(cast(baskets_count as {{ ratio_type() }}), 0) as numeric(14, 6)) as basket_units_count,
    cast(discount_amount / nullif(gross_sales_amount, 0) as numeric(12, 8)) as discount_rate,
    cast(net_sales_amount / nullif(month_sales_amount, 0) as numeric(12, 8)) as sales_share_rate,
    cast(sales_rank as integer) as sales_rank,
    baskets_count < 30 as is_small_number,
    cast(previous_net_sales_amount as numeric(14, 2)) as previous_net_sales_amount,
    cast(net_sales_amount - previous_net_sales_amount as numeric(14, 2)) as net_sales_change_amount,
    cast(
        (net_sales_amount - previous_net_sales_amount) / nullif(previous_net_sales_amount, 0) as numeric(14, 6)
    ) as net_sales_change_rate,
    {{ is_beyond_chance('baskets_count', 'days_count', 'previous_baskets_count', 'previous_days_count') }}
    and not is_partial_month as is_change_beyond_chance
from compared
