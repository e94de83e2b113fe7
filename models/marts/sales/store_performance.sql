-- one row: one store in one month, from the month of its first sale to the as-of date, months without sales included
with store_months as (
    select * from {{ ref('int_store_months_summed') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

periods as (
    select * from {{ ref('int_periods_observed') }}
),

months as (
    select
        period_start_date as month_start_date,
        days_count,
        is_partial_period as is_partial_month
    from periods
    where period_type = 'month'
),

sold as (
    select
        store_months.*,
        stores.store_id
    from store_months
    inner join stores on store_months.store_key = stores.store_key
),

first_sales as (
    select
        store_id,
        min(month_start_date) as first_month_start_date
    from sold
    group by store_id
),

filled as (
    select
        first_sales.store_id,
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
        coalesce(sold.days_traded_count, 0) as days_traded_count
    from first_sales
    inner join stores on first_sales.store_id = stores.store_id
    inner join months on first_sales.first_month_start_date <= months.month_start_date
    left join sold
        on
            first_sales.store_id = sold.store_id
            and months.month_start_date = sold.month_start_date
),

-- equal sales share a rank
compared as (
    select
        filled.*,
        rank() over (partition by month_start_date order by net_sales_amount desc nulls last) as sales_rank,
        sum(net_sales_amount) over (partition by month_start_date) as month_sales_amount,
        lag(net_sales_amount) over series as previous_net_sales_amount,
        lag(baskets_count) over series as previous_baskets_count,
        lag(days_count) over series as previous_days_count
    from filled
    window series as (partition by store_id order by month_start_date asc nulls last)
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
