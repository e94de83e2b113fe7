-- one row: gross margin of one department, product, store, customer or segment in one month, or of one campaign
{%- set members = {
    'department': 'products.department', 'product': 'products.product_id', 'store': 'stores.store_id',
    'customer': 'customers.customer_id'
} %}
{{ config(
    partition_by={
        'field': 'period_start_date', 'granularity': 'day',
        'spans': {'table': 'int_margin_periods_listed', 'first': 'first_read_date', 'last': 'last_read_date'}
    }
) }}
{% call set_sql_header(config) %}{{ hash_to_join() }}{% endcall %}

with all_sales as (
    select * from {{ ref('fct_sales') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

listed_periods as (
    select * from {{ ref('int_margin_periods_listed') }}
),

costed_days as (
    select * from {{ ref('int_department_days_costed') }}
),

scores as (
    select * from {{ ref('int_customer_rfm_scored') }}
),

sales as (
    select
        all_sales.*,
        cast({{ dbt.date_trunc('month', 'business_date') }} as date) as period_start_date
    from all_sales
    where business_date <= {{ date_or('as_of_date', "'9999-12-31'") }}
),

-- one reading of the sales for all that they are grouped by
month_sums as (
    select
        sales.period_start_date,
        case
            {%- for breakdown, member in members.items() %}
                when grouping({{ member }}) = 0 then '{{ breakdown }}'
            {%- endfor %}
        end as breakdown,
        coalesce(
            {%- for member in members.values() %}
                cast({{ member }} as {{ dbt.type_string() }}){{ ',' if not loop.last }}
            {%- endfor %}
        ) as member,
        sum(sales.net_sales_amount) as net_sales_amount,
        sum(case when costed_days.cost_rate is not null then sales.net_sales_amount else 0 end)
            as costed_net_sales_amount,
        sum(sales.net_sales_amount * costed_days.cost_rate) as cost_of_goods_amount
    from sales
    inner join products on sales.product_key = products.product_key
    inner join stores on sales.store_key = stores.store_key
    inner join customers on sales.customer_key = customers.customer_key
    left join costed_days
        on
            sales.business_date = costed_days.business_date
            and products.department = costed_days.department
    group by
        grouping sets (
            {%- for member in members.values() %}
                (sales.period_start_date, {{ member }}){{ ',' if not loop.last }}
            {%- endfor %}
        )
),

grouped as (
    select
        month_sums.period_start_date,
        listed_periods.period_end_date,
        month_sums.breakdown,
        month_sums.member,
        month_sums.net_sales_amount,
        month_sums.costed_net_sales_amount,
        month_sums.cost_of_goods_amount
    from month_sums
    inner join listed_periods
        on month_sums.period_start_date = listed_periods.period_start_date and listed_periods.breakdown = 'month'
),

summed as (
    select * from grouped

    union all

    select
        grouped.period_start_date,
        grouped.period_end_date,
        'segment' as breakdown,
        coalesce(scores.segment_name, 'NO SEGMENT') as member,
        sum(grouped.net_sales_amount) as net_sales_amount,
        sum(grouped.costed_net_sales_amount) as costed_net_sales_amount,
        sum(grouped.cost_of_goods_amount) as cost_of_goods_amount
    from grouped
    left join scores
        on
            grouped.period_start_date = scores.month_start_date
            and grouped.member = cast(scores.customer_id as {{ dbt.type_string() }})
    where grouped.breakdown = 'customer'
    group by
        grouped.period_start_date,
        grouped.period_end_date,
        coalesce(scores.segment_name, 'NO SEGMENT')

    union all

    select
        period_start_date,
        period_end_date,
        breakdown,
        member,
        net_sales_amount,
        costed_net_sales_amount,
        cost_of_goods_amount
    from listed_periods
    where breakdown = 'campaign'
)

-- six places of cost: any sum of them is the ledger's, to the cent
select
    breakdown,
    member,
    period_start_date,
    period_end_date,
    cast(net_sales_amount as numeric(16, 2)) as net_sales_amount,
    cast(costed_net_sales_amount as numeric(16, 2)) as costed_net_sales_amount,
    cast(cost_of_goods_amount as numeric(16, 6)) as cost_of_goods_amount,
    cast(costed_net_sales_amount - cost_of_goods_amount as numeric(16, 6)) as gross_margin_amount,
    cast((costed_net_sales_amount - cost_of_goods_amount) / nullif(costed_net_sales_amount, 0) as numeric(14, 6))
        as gross_margin_rate
from summed
