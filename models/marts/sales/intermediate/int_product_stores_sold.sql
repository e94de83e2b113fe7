-- one row: one product in one store that sold it in a week for which the promotions feed names the store
{%- set without %}
    placements.placement_key <> 0 and not placements.is_on_display and not placements.is_on_mailer
{%- endset %}
with weekly_sales as (
    select * from {{ ref('int_product_weeks_sold') }}
),

covered_weeks as (
    select * from {{ ref('int_store_weeks_covered') }}
),

placements as (
    select * from {{ ref('dim_placement') }}
),

products as (
    select * from {{ ref('dim_product') }}
),

-- all that is asked of the weeks, in one reading; a sale's placement is unknown where the feed doesn't cover the week
sold as (
    select
        weekly_sales.product_id,
        weekly_sales.store_key,
        min(weekly_sales.week_start_date) as first_week_start_date,
        max(weekly_sales.week_start_date) as last_week_start_date,
        sum(weekly_sales.units_count) as units_count,
        count(*) filter (where placements.placement_key <> 0) > 0 as is_covered,
        coalesce(sum(weekly_sales.units_count) filter (where {{ without }}), 0) as without_units_count,
        coalesce(sum(weekly_sales.gross_sales_amount) filter (where {{ without }}), 0) as without_gross_amount,
        coalesce(sum(weekly_sales.net_sales_amount) filter (where {{ without }}), 0) as without_sales_amount
    from weekly_sales
    inner join placements on weekly_sales.placement_key = placements.placement_key
    group by
        weekly_sales.product_id,
        weekly_sales.store_key
),

product_stores as (
    select
        sold.*,
        products.product_category
    from sold
    inner join products on sold.product_id = products.product_id
    where
        products.is_current
        and products.is_merchandise
        and products.product_category <> 'Unknown'
),

-- a store is as large as what it sells of the category
store_sizes as (
    select
        product_category,
        store_key,
        sum(units_count) as store_size_units
    from product_stores
    group by
        product_category,
        store_key
),

-- in any store: weeks before a product's launch or after its end are no weeks without a placement
product_lives as (
    select
        product_id,
        min(first_week_start_date) as first_week_start_date,
        max(last_week_start_date) as last_week_start_date
    from product_stores
    group by product_id
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
)

select
    product_stores.product_id,
    product_stores.store_key,
    product_lives.first_week_start_date,
    product_lives.last_week_start_date,
    covered_lives.covered_weeks_count,
    cast(store_sizes.store_size_units as numeric(16, 3)) as store_size_units,
    cast(product_stores.without_units_count as {{ var('quantity_type') }}) as without_units_count,
    cast(product_stores.without_gross_amount as numeric(14, 2)) as without_gross_amount,
    cast(product_stores.without_sales_amount as numeric(14, 2)) as without_sales_amount
from product_stores
inner join product_lives on product_stores.product_id = product_lives.product_id
inner join covered_lives
    on
        product_stores.store_key = covered_lives.store_key
        and product_lives.first_week_start_date = covered_lives.first_week_start_date
        and product_lives.last_week_start_date = covered_lives.last_week_start_date
inner join store_sizes
    on
        product_stores.product_category = store_sizes.product_category
        and product_stores.store_key = store_sizes.store_key
where product_stores.is_covered
