-- one row: one product in one month, from the month of its first sale to the as-of date, months without sales included
{{ config(partition_by={
    'field': 'month_start_date', 'granularity': 'month', 'reads_before': {'int_products_started': 'all'}
}) }}
{% call set_sql_header(config) %}{{ hash_to_join() }}{% endcall %}

with product_months as (
    select * from {{ ref('int_product_months_summed') }}
),

-- a month has two baskets of a product that is in the middle: ranks and classes are of 12 months, eleven of them closed
trailed as (
    select * from {{ ref('int_product_months_trailed') }}
),

started as (
    select * from {{ ref('int_products_started') }}
),

months as (
    select * from {{ ref('int_months_begun') }}
),

products as (
    select * from {{ ref('int_products_described') }}
),

product_rows as (
    select
        started.product_id,
        months.month_start_date,
        started.first_month_start_date < months.month_start_date as has_previous,
        products.department,
        products.product_category,
        products.brand,
        months.is_partial_month,
        months.days_count,
        case when started.first_month_start_date < months.month_start_date then months.previous_days_count end
            as previous_days_count,
        {{ dbt.datediff('started.first_month_start_date', 'months.month_start_date', 'month') }}
            as months_since_first_sale_count
    from started
    inner join products on started.product_id = products.product_id
    inner join months on started.first_month_start_date <= months.month_start_date
),

summed as (
    select
        product_rows.*,
        coalesce(sold.gross_sales_amount, 0) as gross_sales_amount,
        coalesce(sold.net_sales_amount, 0) as net_sales_amount,
        coalesce(sold.discount_amount, 0) as discount_amount,
        coalesce(sold.units_count, 0) as units_count,
        coalesce(sold.baskets_count, 0) as baskets_count,
        coalesce(sold.customers_count, 0) as customers_count,
        case when product_rows.has_previous then coalesce(trailed.previous_net_sales_amount, 0) end
            as previous_net_sales_amount,
        case when product_rows.has_previous then coalesce(trailed.previous_baskets_count, 0) end
            as previous_baskets_count,
        coalesce(trailed.earlier_sales_amount, 0) + coalesce(sold.net_sales_amount, 0) as trailing_sales_amount,
        coalesce(trailed.earlier_baskets_count, 0) + coalesce(sold.baskets_count, 0) as trailing_baskets_count,
        coalesce(trailed.baskets_in_2_months_count, 0) + coalesce(sold.baskets_count, 0) as baskets_in_3_months_count,
        least(product_rows.months_since_first_sale_count + 1, 12) as trailing_months_count
    from product_rows
    left join product_months as sold
        on
            product_rows.product_id = sold.product_id
            and product_rows.month_start_date = sold.month_start_date
    left join trailed
        on
            product_rows.product_id = trailed.product_id
            and product_rows.month_start_date = trailed.month_start_date
),

-- equal sales share a rank and a place in the cumulative share: ties never depend on the order of rows
compared as (
    select
        summed.*,
        rank() over better as department_rank,
        sum(net_sales_amount) over (partition by department, month_start_date) as department_sales_amount,
        sum(trailing_sales_amount) over (partition by department, month_start_date) as department_trailing_amount,
        (sum(trailing_sales_amount) over better)
        - trailing_sales_amount * ((count(*) over better) - (rank() over better) + 1) as better_sales_amount
    from summed
    window better as (partition by department, month_start_date order by trailing_sales_amount desc nulls last)
)

select
    product_id,
    month_start_date,
    department,
    product_category,
    brand,
    is_partial_month,
    cast(months_since_first_sale_count as integer) as months_since_first_sale_count,
    cast(gross_sales_amount as numeric(14, 2)) as gross_sales_amount,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    cast(units_count as {{ var('quantity_type') }}) as units_count,
    cast(baskets_count as integer) as baskets_count,
    cast(customers_count as integer) as customers_count,
    cast(net_sales_amount / nullif(units_count, 0) as numeric(14, 6)) as average_price_amount,
    cast(discount_amount / nullif(gross_sales_amount, 0) as numeric(12, 8)) as discount_rate,
    cast(department_rank as integer) as department_rank,
    cast(net_sales_amount / nullif(department_sales_amount, 0) as numeric(12, 8)) as department_share_rate,
    case
        when trailing_sales_amount <= 0 then 'C'
        when better_sales_amount < 0.80 * department_trailing_amount then 'A'
        when better_sales_amount < 0.95 * department_trailing_amount then 'B'
        else 'C'
    end as abc_class,
    cast(trailing_sales_amount as numeric(14, 2)) as trailing_sales_amount,
    cast(trailing_months_count as integer) as trailing_months_count,
    trailing_baskets_count < 30 as is_small_number,
    cast(previous_net_sales_amount as numeric(14, 2)) as previous_net_sales_amount,
    cast(net_sales_amount - previous_net_sales_amount as numeric(14, 2)) as net_sales_change_amount,
    cast(
        (net_sales_amount - previous_net_sales_amount) / nullif(previous_net_sales_amount, 0) as numeric(14, 6)
    ) as net_sales_change_rate,
    {{ is_beyond_chance('baskets_count', 'days_count', 'previous_baskets_count', 'previous_days_count') }}
    and not is_partial_month as is_change_beyond_chance,
    baskets_in_3_months_count = 0 as is_dormant
from compared
