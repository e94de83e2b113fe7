-- question: Which categories should stand near each other?
-- how to read it: pairs of categories that one basket in a hundred holds or more. A lift of 2 means twice as often
--   together as if baskets picked both independently; the two percentages say how often one category's baskets hold the
--   other. It says what is bought together, not that standing together makes it so.
-- answer on the default data: Pasta and pasta sauce, 9.85 times as often as by chance: 54.7 % of the baskets with
--   sauce hold pasta. Then cheeses and deli meats, 9.31 times.
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
    round(lift, 2) as lift
from pairs
where
    product_category < other_product_category
    and support_rate >= 0.01
order by pairs.lift desc, product_category asc, other_product_category asc
limit 10
