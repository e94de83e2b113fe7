-- question: Which display sells more, without any help from the mailer?
-- how to read it: one row a display, over the categories that have a lift to quote against other stores in the same
--   week: in how many its 95 % interval lies wholly above 0 (sells more) or below (sells less; of 40 one does by chance
--   alone), and the middle one of the lifts. Which store displays a product is no accident, so this is no experiment.
-- answer on the default data: All of them; the Store front by 58 % in the middle category, the Side-aisle end cap by
--   27 %. The surest is the Rear end cap, clearly more in 57 of 115 categories, less in 0.
with lifts as (
    select * from {{ ref('promotion_lift') }}
)

select
    display_name,
    count(*) as categories_count,
    count(*) filter (where units_lift_lower_rate > 0) as more_count,
    count(*) filter (where units_lift_upper_rate < 0) as less_count,
    cast(round(
        cast(100 * percentile_cont(0.5) within group (order by units_lift_rate) as numeric(12, 6)), 0
    ) as integer)
        as units_lift_percent
from lifts
where
    display_code <> '0'
    and mailer_code = '0'
    and quoted_comparison = 'same week'
group by display_name
order by units_lift_percent desc, display_name asc
