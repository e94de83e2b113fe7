-- one row: one product in one store that sold it in a week for which the promotions feed names the store

with weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

observed_placements as (
    select * from {{ ref('int_placements_observed') }}
),

stores as (
    select * from {{ ref('dim_store') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

-- a store is as large as what it sells of the category
store_sizes as (
    select
        products.product_category,
        weekly_sales.store_key,
        sum(weekly_sales.units_count) as store_size_units
    from weekly_sales
    inner join products on weekly_sales.product_id = products.product_id
    where products.is_current
    group by
        products.product_category,
        weekly_sales.store_key
),

-- in any store: weeks before a product's launch or after its end are no weeks without a placement
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
        stores.store_key,
        observed_placements.week_start_date
    from observed_placements
    inner join stores on observed_placements.store_id = stores.store_id
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
        cast(count(*) as integer) as covered_weeks_count
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

-- a sale's placement is unknown where the feed doesn't cover the week
summed as (
    select
        weekly_sales.product_id,
        weekly_sales.store_key,
        coalesce(sum(weekly_sales.units_count) filter (
            where not placements.is_on_display and not placements.is_on_mailer
        ), 0) as without_units_count,
        coalesce(sum(weekly_sales.gross_sales_amount) filter (
            where not placements.is_on_display and not placements.is_on_mailer
        ), 0) as without_gross_amount,
        coalesce(sum(weekly_sales.net_sales_amount) filter (
            where not placements.is_on_display and not placements.is_on_mailer
        ), 0) as without_sales_amount
    from weekly_sales
    inner join placements on weekly_sales.placement_key = placements.placement_key
    where placements.placement_key <> 0
    group by
        weekly_sales.product_id,
        weekly_sales.store_key
)

select
    summed.product_id,
    summed.store_key,
    product_lives.first_week_start_date,
    product_lives.last_week_start_date,
    covered_lives.covered_weeks_count,
    cast(store_sizes.store_size_units as numeric(16, 3)) as store_size_units,
    cast(summed.without_units_count as {{ var('quantity_type') }}) as without_units_count,
    cast(summed.without_gross_amount as numeric(14, 2)) as without_gross_amount,
    cast(summed.without_sales_amount as numeric(14, 2)) as without_sales_amount
from summed
inner join product_lives on summed.product_id = product_lives.product_id
inner join covered_lives
    on
        summed.store_key = covered_lives.store_key
        and product_lives.first_week_start_date = covered_lives.first_week_start_date
        and product_lives.last_week_start_date = covered_lives.last_week_start_date
inner join products on summed.product_id = products.product_id and products.is_current
inner join store_sizes
    on products.product_category = store_sizes.product_category and summed.store_key = store_sizes.store_key
