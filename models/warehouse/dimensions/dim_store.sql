-- one row: one store; the source has no store list, so stores are those that sell or promote
with store_days as (
    select * from {{ ref('int_store_days_summed') }}
),

observed_placements as (
    select *
    from {{ area_ref('promotions', 'int_placements_observed', {'store_id': var('store_id_type')}) }}
),

selling_stores as (
    select
        store_id,
        min(business_date) as first_sale_date,
        max(business_date) as last_sale_date,
        count(*) as days_open_count,
        sum(net_sales_amount) as net_sales_amount
    from store_days
    group by store_id
),

promoting_stores as (
    select distinct store_id from observed_placements
),

-- what larger stores sell together: equal sales share a place, so the order of rows decides nothing
compared as (
    select
        store_id,
        first_sale_date,
        last_sale_date,
        days_open_count,
        net_sales_amount,
        sum(net_sales_amount) over () as total_sales_amount,
        sum(net_sales_amount) over (
            order by net_sales_amount desc nulls last
            range between unbounded preceding and current row
        ) - net_sales_amount * count(*) over (partition by net_sales_amount) as larger_sales_amount
    from selling_stores
),

members as (
    select
        coalesce(compared.store_id, promoting_stores.store_id) as store_id,
        compared.first_sale_date,
        compared.last_sale_date,
        coalesce(compared.days_open_count, 0) as days_open_count,
        coalesce(compared.net_sales_amount, 0) as net_sales_amount,
        case
            when compared.store_id is null then 'none'
            when compared.net_sales_amount <= 0 then 'C'
            when compared.larger_sales_amount < 0.80 * compared.total_sales_amount then 'A'
            when compared.larger_sales_amount < 0.95 * compared.total_sales_amount then 'B'
            else 'C'
        end as volume_class,
        promoting_stores.store_id is not null as has_promotions
    from compared
    full outer join promoting_stores on compared.store_id = promoting_stores.store_id
)

select
    {{ surrogate_key(['store_id']) }} as store_key,
    store_id,
    first_sale_date,
    last_sale_date,
    cast(days_open_count as integer) as days_open_count,
    cast(net_sales_amount as numeric(14, 2)) as net_sales_amount,
    volume_class,
    {{ area_value('promotions', 'has_promotions', 'boolean') }} as has_promotions
from members

union all

-- the unknown member
select
    0 as store_key,
    {{ unknown_id('store_id') }} as store_id,
    null as first_sale_date,
    null as last_sale_date,
    0 as days_open_count,
    cast(0 as numeric(14, 2)) as net_sales_amount,
    'none' as volume_class,
    {{ area_value('promotions', 'false', 'boolean') }} as has_promotions
