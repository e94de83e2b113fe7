-- one row: one product in one store in one placement: its weeks with it, and its weeks without any
with promotions as (
    select * from {{ ref('fct_promotions') }}
),

-- imported twice: what is read twice from one CTE is written to disk first, 20 million rows of it
promotions_to_count as (
    select * from {{ ref('fct_promotions') }}
),

weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

product_lives as (
    select
        product_id,
        min(week_start_date) as first_week_start_date,
        max(week_start_date) as last_week_start_date
    from weekly_sales
    group by product_id
),

-- the weeks in which the feed names a store: in the others, no promotion is no news
covered_weeks as (
    select distinct
        store_key,
        week_start_date
    from promotions_to_count
),

covered_sales as (
    select weekly_sales.*
    from weekly_sales
    inner join covered_weeks
        on
            weekly_sales.store_key = covered_weeks.store_key
            and weekly_sales.week_start_date = covered_weeks.week_start_date
),

-- products in the stores that sold them at least once in a covered week
product_stores as (
    select
        covered_sales.product_id,
        covered_sales.store_key,
        product_lives.first_week_start_date,
        product_lives.last_week_start_date,
        sum(covered_sales.units_count) as units_count,
        sum(covered_sales.net_sales_amount) as net_sales_amount
    from covered_sales
    inner join product_lives on covered_sales.product_id = product_lives.product_id
    group by
        covered_sales.product_id,
        covered_sales.store_key,
        product_lives.first_week_start_date,
        product_lives.last_week_start_date
),

lives as (
    select distinct
        first_week_start_date,
        last_week_start_date
    from product_lives
),

covered_lives as (
    select
        lives.first_week_start_date,
        lives.last_week_start_date,
        covered_weeks.store_key,
        count(*) as weeks_count
    from lives
    inner join covered_weeks
        on
            lives.first_week_start_date <= covered_weeks.week_start_date
            and lives.last_week_start_date >= covered_weeks.week_start_date
    group by
        lives.first_week_start_date,
        lives.last_week_start_date,
        covered_weeks.store_key
),

-- 20 million promotions become one row per product, store and placement before anything else is joined to them.
-- The life is a filter, not a join condition: as a condition it tempts the planner into an index scan per product.
placed as (
    select
        product_stores.product_id,
        product_stores.store_key,
        promotions.placement_key,
        product_stores.first_week_start_date,
        product_stores.last_week_start_date,
        product_stores.units_count as all_units_count,
        product_stores.net_sales_amount as all_sales_amount,
        count(*) filter (
            where promotions.week_start_date >= product_stores.first_week_start_date
            and promotions.week_start_date <= product_stores.last_week_start_date
        ) as weeks_count,
        coalesce(sum(covered_sales.units_count), 0) as units_count,
        coalesce(sum(covered_sales.net_sales_amount), 0) as net_sales_amount
    from promotions
    inner join product_stores
        on
            promotions.product_id = product_stores.product_id
            and promotions.store_key = product_stores.store_key
    left join covered_sales
        on
            promotions.product_id = covered_sales.product_id
            and promotions.store_key = covered_sales.store_key
            and promotions.week_start_date = covered_sales.week_start_date
    group by
        product_stores.product_id,
        product_stores.store_key,
        promotions.placement_key,
        product_stores.first_week_start_date,
        product_stores.last_week_start_date,
        product_stores.units_count,
        product_stores.net_sales_amount
)

select
    placed.product_id,
    placed.store_key,
    placed.placement_key,
    cast(placed.weeks_count as integer) as with_weeks_count,
    cast(placed.units_count as integer) as with_units_count,
    cast(placed.net_sales_amount as numeric(14, 2)) as with_sales_amount,
    cast(
        covered_lives.weeks_count - sum(placed.weeks_count) over (
            partition by placed.product_id, placed.store_key
        ) as integer
    ) as without_weeks_count,
    cast(
        placed.all_units_count - sum(placed.units_count) over (
            partition by placed.product_id, placed.store_key
        ) as integer
    ) as without_units_count,
    cast(
        placed.all_sales_amount - sum(placed.net_sales_amount) over (
            partition by placed.product_id, placed.store_key
        ) as numeric(14, 2)
    ) as without_sales_amount
from placed
inner join covered_lives
    on
        placed.store_key = covered_lives.store_key
        and placed.first_week_start_date = covered_lives.first_week_start_date
        and placed.last_week_start_date = covered_lives.last_week_start_date
where placed.weeks_count > 0
