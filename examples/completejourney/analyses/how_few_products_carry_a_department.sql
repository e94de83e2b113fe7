-- question: How few products carry a department?
-- how to read it: per department, over the 12 months to the last whole one, how many products it takes to make 80 % of
--   the sales (class A) of how many that ever sold, in how many of these fewer than 30 baskets stand behind the class,
--   so that chance moves it, and how many haven't sold for three months. Departments of under 100 products are left
--   out.
-- answer on the default data: In PRODUCE 198 of 2,323 products (8.5 %) make four fifths of the sales, in GROCERY 6,462
--   of 29,566 (21.9 %). Of the 6,468 of DRUG GM chance moves 86.8 %: they say how many, not which. Half of DRUG GM
--   (50.9 %) hasn't sold for three months.
with products as (
    select * from {{ ref('product_performance') }}
),

newest as (
    select max(month_start_date) as month_start_date
    from products
    where not is_partial_month
)

select
    products.department,
    count(*) as products_count,
    count(*) filter (where products.abc_class = 'A') as class_a_count,
    round(100.0 * count(*) filter (where products.abc_class = 'A') / count(*), 1) as class_a_percent,
    round(
        100.0 * count(*) filter (where products.abc_class = 'A' and products.is_small_number)
        / nullif(count(*) filter (where products.abc_class = 'A'), 0), 1
    ) as small_a_percent,
    round(100.0 * count(*) filter (where products.is_dormant) / count(*), 1) as dormant_percent,
    sum(products.trailing_sales_amount) as net_sales_amount
from products
inner join newest on products.month_start_date = newest.month_start_date
group by products.department
having count(*) >= 100
order by class_a_percent asc, products.department asc
