-- one row: one product in one week in which a store sold it that the promotions feed names, all such stores together
with placement_sales as (
    select * from {{ ref('int_product_placements_sold') }}
),

product_stores as (
    select * from {{ ref('int_product_stores_sold') }}
),

covered_weeks as (
    select * from {{ ref('int_store_weeks_covered') }}
),

named_stores as (
    select distinct store_key from covered_weeks
),

named_weeks as (
    select distinct week_start_date from covered_weeks
),

-- nearly all stores are named in nearly all weeks: the few that aren't are taken off
missing_weeks as (
    select
        named_stores.store_key,
        named_weeks.week_start_date
    from named_stores
    cross join named_weeks
    left join covered_weeks
        on
            named_stores.store_key = covered_weeks.store_key
            and named_weeks.week_start_date = covered_weeks.week_start_date
    where covered_weeks.store_key is null
),

missing_sizes as (
    select
        product_stores.product_id,
        missing_weeks.week_start_date,
        sum(product_stores.store_size_units) as size_units
    from product_stores
    inner join missing_weeks on product_stores.store_key = missing_weeks.store_key
    group by
        product_stores.product_id,
        missing_weeks.week_start_date
),

all_sizes as (
    select
        product_id,
        sum(store_size_units) as size_units
    from product_stores
    group by product_id
),

summed as (
    select
        product_id,
        week_start_date,
        sum(stores_count) as stores_count,
        case when sum(stores_count) = 1 then min(first_store_key) end as only_store_key,
        sum(gross_sales_amount) as gross_sales_amount,
        sum(net_sales_amount) as net_sales_amount
    from placement_sales
    group by
        product_id,
        week_start_date
)

select
    summed.product_id,
    summed.week_start_date,
    cast(summed.stores_count as integer) as stores_count,
    cast(summed.gross_sales_amount as numeric(14, 2)) as gross_sales_amount,
    cast(summed.net_sales_amount as numeric(14, 2)) as net_sales_amount,
    -- steps of 5 %: 0 is below 2.5 %, 4 is around 20 %
    cast(floor(
        20 * greatest(1 - summed.net_sales_amount / nullif(summed.gross_sales_amount, 0), 0) + 0.5
    ) as integer) as depth_step,
    cast(all_sizes.size_units - coalesce(missing_sizes.size_units, 0) as numeric(18, 3)) as size_units,
    cast(coalesce(only_store.store_size_units, 0) as numeric(16, 3)) as only_store_size_units
from summed
inner join all_sizes on summed.product_id = all_sizes.product_id
left join missing_sizes
    on summed.product_id = missing_sizes.product_id and summed.week_start_date = missing_sizes.week_start_date
left join product_stores as only_store
    on summed.product_id = only_store.product_id and summed.only_store_key = only_store.store_key
where summed.gross_sales_amount > 0
