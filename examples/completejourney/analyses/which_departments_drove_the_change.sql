-- question: Which departments made the last whole week better or worse than the one before?
-- how to read it: `contribution_percent` is the department's part of the change, in percent of all sales of the week
--   before: the departments add up to ALL DEPARTMENTS. `is_change_beyond_chance` says whether the department's earlier
--   weeks varied less than that. It says where the change is, not why: two weeks can't tell a season, and there is no
--   seasonal index before two years. Departments with under half a point are left out.
-- answer on the default data: The week after Christmas sold 28.6 % less, by 32,363.7 dollars. GROCERY, the largest,
--   gives 12.4 points of it, though it fell by less than the rest, 25 %; MISCELLANEOUS fell most, by 71.2 %. What DRUG
--   GM, MEAT and FUEL lost, chance explains. One year can't say whether the week after Christmas is always so weak.
with trends as (
    select * from {{ ref('sales_trends') }}
),

newest as (
    select max(period_start_date) as period_start_date
    from trends
    where
        period_type = 'week'
        and is_change_comparable
)

select
    trends.period_start_date,
    trends.department,
    trends.previous_net_sales_amount,
    trends.net_sales_amount,
    trends.net_sales_change_amount,
    round(100 * trends.net_sales_change_rate, 1) as change_percent,
    round(100 * trends.change_contribution_rate, 1) as contribution_percent,
    trends.is_change_beyond_chance
from trends
inner join newest on trends.period_start_date = newest.period_start_date
where
    trends.period_type = 'week'
    and abs(trends.change_contribution_rate) >= 0.005
order by trends.is_all_departments desc, trends.net_sales_change_amount asc, trends.department asc
