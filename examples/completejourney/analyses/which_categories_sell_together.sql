-- question: Which categories should stand near each other?
-- how to read it: pairs of categories that one basket in a hundred holds or more, and that are in one basket more often
--   than chance explains among baskets of their size, whatever pair one looks at. An affinity of 2 means twice as often
--   as in baskets of that size by chance; the two figures after it are its 95 % interval. The lift beside it is higher,
--   for big baskets hold everything. It says what is bought together, not that standing together makes it so.
-- answer on the default data: Cheeses and deli meats, 3.81 times as often as baskets of their size let expect
--   (3.57 to 4.05): 63.1 % of the baskets with cheeses hold deli meats. Then pasta and pasta sauce, 2.82 times, though
--   their lift of 9.85 is the highest.
with pairs as (
    select * from {{ ref('basket_affinity') }}
)

select
    product_category,
    other_product_category,
    pair_baskets_count,
    round(100 * support_rate, 2) as support_percent,
    round(100 * confidence_rate, 1) as confidence_percent,
    round(100 * reverse_confidence_rate, 1) as reverse_confidence_percent,
    round(affinity, 2) as affinity,
    round(affinity_lower, 2) as affinity_lower,
    round(affinity_upper, 2) as affinity_upper,
    round(lift, 2) as lift
from pairs
where
    product_category < other_product_category
    and support_rate >= 0.01
    and verdict = 'together'
order by pairs.affinity desc, product_category asc, other_product_category asc
limit 10
