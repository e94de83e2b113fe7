"""Each mart again, by another route: its schema, the columns that identify a row, and the query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mart:
    """How to compute a mart from the shop.

    Attributes:
        schema: where the mart lies.
        key: columns that identify a row.
        query: computes the mart; its columns are named as the mart's.
        first: what to compute before it.
    """

    schema: str
    key: tuple[str, ...]
    query: str
    first: str = ""


TRENDS = """
with span as (
    select 'month' as kind, starts, ends, extract(month from starts) as place, part, days from month
    union all
    select 'week', starts, ends, extract(week from starts), part, days from retail_week
), unit as (select distinct department from sold union all select 'ALL DEPARTMENTS'),
money as (
    select kind, starts, department, net from (
        select 'month' as kind, cast(date_trunc('month', day) as date) as starts,
               case when grouping(department) = 1 then 'ALL DEPARTMENTS' else department end as department,
                   sum(net) as net
        from sold group by grouping sets ((starts, department), (starts))
        union all
        select 'week', cast(date_trunc('week', day) as date) as starts,
               case when grouping(department) = 1 then 'ALL DEPARTMENTS' else department end, sum(net)
        from sold group by grouping sets ((starts, department), (starts)))
), grid as (
    select span.*, unit.department, coalesce(money.net, 0) as net
    from span cross join unit left join money using (kind, starts, department)
), pair as (
    select now.*, old.net as old, old.part as old_part, old_all.net as old_all
    from grid as now
    left join grid as old on old.kind = now.kind and old.department = now.department and old.ends = now.starts - 1
    left join grid as old_all
        on old_all.kind = now.kind and old_all.department = 'ALL DEPARTMENTS' and old_all.ends = now.starts - 1
), mean as (
    select now.kind, now.starts, now.department,
           avg(old.net) filter (where old.starts > now.starts - 28) as mean_4,
           count(*) filter (where old.starts > now.starts - 28) as of_4,
           avg(old.net) filter (where old.starts > now.starts - 91) as mean_13, count(*) as of_13,
           avg(old.net) filter (where old.starts > now.starts - interval 3 month) as mean_3,
           count(*) filter (where old.starts > now.starts - interval 3 month) as of_3
    from grid as now join grid as old
        on old.kind = now.kind and old.department = now.department and old.starts <= now.starts
        and not old.part and not now.part and (old.starts > now.starts - 91 or old.kind = 'month')
    group by all
), wide as (
    select now.kind, now.starts, now.department, count(*) as earlier, var_samp(old.net) as v
    from grid as now join grid as old
        on old.kind = now.kind and old.department = now.department and old.starts < now.starts and not old.part
    group by all
), base as (
    select kind, department, sum(net) / sum(days) as daily from grid where not part group by all
), place as (
    select kind, department, place, sum(net) / sum(days) as daily, count(*) as years
        from grid where not part group by all
)
select kind as period_type, starts as period_start_date, department,
    department = 'ALL DEPARTMENTS' as is_all_departments,
       days as days_count, part as is_partial_period, net as net_sales_amount, old as previous_net_sales_amount,
       net - old as net_sales_change_amount, (net - old) / nullif(old, 0) as net_sales_change_rate,
       (net - old) / nullif(old_all, 0) as change_contribution_rate, not part and old is not null and not old_part
       as is_change_comparable,
       case when earlier >= 8 and not part then abs(net - old) > 3 * sqrt(2 * v) end as is_change_beyond_chance,
       case when kind = 'week' and of_4 = 4 then mean_4 end as moving_average_4_weeks_amount,
       case when kind = 'week' and of_13 = 13 then mean_13 end as moving_average_13_weeks_amount,
       case when kind = 'month' and of_3 = 3 then mean_3 end as moving_average_3_months_amount,
       case when years > 1 then place.daily / nullif(base.daily, 0) end as seasonal_index,
       coalesce(years, 0) as seasonal_years_count
from pair left join mean using (kind, starts, department) left join wide using (kind, starts, department)
left join base using (kind, department)
left join place using (kind, department, place)
"""

STORES = """
with cell as (
    select store, cast(date_trunc('month', day) as date) as m, sum(gross) as gross, sum(net) as net,
        sum(given) as given,
           sum(units) as units, count(*) as baskets, count(distinct who) as people, count(distinct day) as days
    from receipt group by all
), life as (select store, min(m) as born from cell group by store),
feed as (select distinct store from promotion),
grid as (
    select life.store, month.starts as m, month.part, coalesce(gross, 0) as gross, coalesce(net, 0) as net,
           coalesce(given, 0) as given, coalesce(units, 0) as units, coalesce(baskets, 0) as baskets,
           coalesce(people, 0) as people, coalesce(cell.days, 0) as days
    from life join month on month.starts >= born left join cell on cell.store = life.store and cell.m = month.starts
), whole as (select m, sum(net) as net, list(net) as nets from grid group by m)
select grid.store as store_id, grid.m as month_start_date, grid.store in (select store from feed) as has_promotions,
       grid.part as is_partial_month, grid.gross as gross_sales_amount, grid.net as net_sales_amount,
       grid.units as units_count, grid.baskets as baskets_count, grid.people as customers_count,
       grid.days as days_traded_count, grid.net / nullif(grid.baskets, 0) as average_basket_amount,
       grid.units / nullif(grid.baskets, 0) as basket_units_count, grid.given / nullif(grid.gross,
           0) as discount_rate,
       grid.net / whole.net as sales_share_rate, 1 + len(list_filter(nets,
           lambda other: other > grid.net)) as sales_rank,
       old.net as previous_net_sales_amount, grid.net - old.net as net_sales_change_amount,
       (grid.net - old.net) / nullif(old.net, 0) as net_sales_change_rate, grid.baskets < 30 as is_small_number,
       abs(grid.baskets / now_month.days - old.baskets / old_month.days)
       > 3 * sqrt(grid.baskets / now_month.days ** 2 + old.baskets / old_month.days ** 2) + 1e-12 and not grid.part
       as is_change_beyond_chance
from grid join whole using (m) left join grid as old on old.store = grid.store and old.m = grid.m - interval 1 month
left join month as now_month on now_month.starts = grid.m left join month as old_month on old_month.starts = old.m
"""

HOURS = """
with cell as (
    select isodow(day) as dow, extract(hour from local) as hour,
           case when grouping(department) = 1 then 'ALL DEPARTMENTS' else department end as department,
           count(distinct basket) as baskets, sum(net) as net
    from sold group by grouping sets ((dow, hour, department), (dow, hour))
), weekday as (
    select isodow(day) as dow, any_value(dayname(day)) as name, count(*) as days
    from calendar group by all
), whole as (select department, sum(net) as net from cell group by all)
select dow as weekday_number, name as weekday_name, hour as business_hour, department,
       department = 'ALL DEPARTMENTS' as is_all_departments, days as days_count, baskets as baskets_count,
       cell.net as net_sales_amount, baskets / days as daily_baskets_count, cell.net / days as daily_net_sales_amount,
       cell.net / nullif(whole.net, 0) as department_share_rate, baskets < 30 as is_small_number
from cell join weekday using (dow) join whole using (department)
"""

AFFINITY = """
with held as (
    select basket, list_sort(list_distinct(list(category))) as names, any_value(who) as who
    from sold where goods and category <> 'Unknown'
    and day < date_trunc('week', getvariable('last') + interval 1 day) group by basket
), sized as (
    select names, len(names) as k, round(10 * ln(len(names))) as band,
           cast('0x' || substr(md5(cast(who as varchar)), 1, 16) as ubigint)::hugeint as hash from held
), draw as (
    select names, k, band, ((hash - if(hash >= 9223372036854775808, 18446744073709551616, 0)) % 20 + 20) % 20 as part
    from sized
), one as (select k, band, part, unnest(names) as name from draw),
single as (select name, count(*) as n, sum(k - 1) as links from one group by all),
share as (
    select name, band, count(*) / any_value(baskets) as p
    from one join (select band, count(*) as baskets from draw group by all) using (band) group by name, band
), room as (select band, sum(p * (1 - p)) as d from share group by all),
bet as (
    select x.name as one, y.name as other, band, x.p * y.p * (1 - if(d = 0, 0, (1 - x.p) * (1 - y.p) / d)) as e
    from share as x join share as y using (band) join room using (band) where x.name <> y.name
), scale as (
    select band, sum(e) as bets, any_value(pairs) as pairs
    from bet join (select band, sum(k * (k - 1)) as pairs from draw group by all) using (band) group by band
), hope as (
    select one, other, sum(e * pairs / bets) as hoped from bet join scale using (band) where bets > 0 group by all
), both_ways as (
    select one, part, unnest(names) as other from (select names, part, unnest(names) as one from draw)
), cell as (select one, other, part, count(*) as n from both_ways where one <> other group by all),
pair as (select one, other, sum(n) as n from cell group by all having sum(n) >= 100),
whole as (
    select part, sum(k * (k - 1)) / any_value(pairs) as w
    from draw cross join (select sum(k * (k - 1)) as pairs from draw) group by part
),
slice as (
    select name, part, sum(k - 1) / any_value(single.links) as w from one join single using (name) group by name, part
),
spread as (
    select pair.one, pair.other, any_value(pair.n) as n, any_value(hoped) as hoped,
           sqrt(20 / 19 * sum(pow(coalesce(cell.n, 0)
               - pair.n * (coalesce(a.w, 0) + coalesce(b.w, 0) - whole.w), 2))) / any_value(pair.n) as error
    from pair join hope using (one, other) cross join whole left join cell using (one, other, part)
    left join slice as a on a.name = pair.one and a.part = whole.part
    left join slice as b on b.name = pair.other and b.part = whole.part
    group by pair.one, pair.other
), tested as (
    select *, n / hoped as ratio, abs(ln(n / hoped)) / error as t,
           erfc((1 - 1 / 76) * t / sqrt(1 + t * t / 38) / sqrt(2)) as chance from spread
), placed as (
    select *, chance * count(*) over () / (count(*) over (order by chance)) as raised from tested
), final as (select *, min(raised) over (order by chance desc) as adjusted from placed),
total as (select count(*) as n from held)
select final.one as product_category, final.other as other_product_category, final.n as pair_baskets_count,
       one.n as baskets_count, other.n as other_baskets_count, total.n as all_baskets_count,
       final.n / total.n as support_rate, final.n / one.n as confidence_rate,
           final.n / other.n as reverse_confidence_rate,
       (final.n / total.n) / ((one.n / total.n) * (other.n / total.n)) as lift, hoped as expected_baskets_count,
       ratio as affinity, ratio * exp(-2.093 * error) as affinity_lower, ratio * exp(2.093 * error) as affinity_upper,
       adjusted as adjusted_p_value,
       case when adjusted >= 0.05 then 'cannot tell' when ratio > 1 then 'together' else 'apart' end as verdict
from final join single as one on one.name = final.one join single as other on other.name = final.other
cross join total
"""

COHORTS = """
with seen as (select who, cast(date_trunc('month', day) as date) as m, sum(net) as net from receipt group by all),
born as (select who, min(m) as c from seen group by who), size as (select c, count(*) as n from born group by c),
cell as (select c, m, count(*) as k, sum(net) as net from seen join born using (who) group by all),
grid as (select size.c, size.n, month.starts as m, part, coalesce(cell.k, 0) as k, coalesce(cell.net, 0) as net
         from size join month on month.starts >= size.c
         left join cell on cell.c = size.c and cell.m = month.starts),
running as (select now.c, now.m, sum(old.net) as net from grid as now join grid as old
            on old.c = now.c and old.m <= now.m group by all)
select c as cohort_month_start_date, date_diff('month', c, m) as months_since_count, m as month_start_date,
       part as is_partial_month, c = (select min(starts) from month) as is_cohort_cut, n as cohort_customers_count,
       k as active_customers_count, k / n as retention_rate,
       (k / n + 1.96 ^ 2 / (2 * n) - 1.96 * sqrt((k / n) * (1 - k / n) / n + 1.96 ^ 2 / (4 * n ^ 2)))
       / (1 + 1.96 ^ 2 / n) as retention_lower_rate,
       (k / n + 1.96 ^ 2 / (2 * n) + 1.96 * sqrt((k / n) * (1 - k / n) / n + 1.96 ^ 2 / (4 * n ^ 2)))
       / (1 + 1.96 ^ 2 / n) as retention_upper_rate,
       grid.net as net_sales_amount, running.net as cumulative_net_sales_amount,
       running.net / n as cumulative_customer_sales_amount, n < 30 as is_small_group
from grid join running using (c, m)
"""

VALUE = """
with recursive stand as (
    select o, getvariable('last') - 45 * o as today,
           getvariable('last') - getvariable('first') + 1 - 45 * o as days
    from (select cast(range as integer) as o from range(7)) where days >= 90 or o = 0
), life as (select unnest([30, 45, 60, 90]) as h), thing as (select unnest(['baskets', 'sales']) as what),
buy as (select who, day, what, if(what = 'baskets', 1, cast(net as double)) as v from receipt cross join thing),
seen as (
    select what, o, h, who, sum(v * pow(0.5, (today - day) / h) * 90 * (1 - pow(0.5, 1 / h))
           / (1 - pow(0.5, days / h))) as x
    from buy join stand on day <= today cross join life group by what, o, h, who
), came as (
    select seen.what, seen.o, seen.h, seen.who, seen.x, if(seen.o > 1, coalesce(sum(v), 0), null) as y
    from seen join stand using (o)
    left join buy on buy.who = seen.who and buy.what = seen.what and day > today and day <= today + 90
    group by seen.what, seen.o, seen.h, seen.who, seen.x
), use as (
    select 'forecast' as aim, * from came where o <> 1 union all select 'holdout', * from came where o not in (0, 1, 3)
), pupil as (from use where o > if(aim = 'forecast', 1, 3)),
square as (
    select aim, what, h, regr_slope(y, x) as b, regr_intercept(y, x) as a from pupil group by all
), best as (
    select aim, what, arg_min(h, wrong) as h
    from (
        select aim, what, h, avg(abs(y - a - b * x)) as wrong from pupil join square using (aim, what, h) group by all
    )
    group by all
), course as (
    select pupil.*, avg(y) over (partition by aim, what) / 50 as least from pupil join best using (aim, what, h)
), line as (
    select aim, what, h, 0 as k, a, b from square join best using (aim, what, h)
    union all
    select aim, what, h, k + 1, (sxx * sy - sx * sxy) / (n * sxx - sx * sx), (n * sxy - sx * sy) / (n * sxx - sx * sx)
    from (
        select aim, what, h, k, sum(w) as n, sum(w * x) as sx, sum(w * y) as sy, sum(w * x * x) as sxx,
               sum(w * x * y) as sxy
        from (select *, 1 / greatest(abs(y - a - b * x), least) as w
              from line join course using (aim, what, h) where k < 6)
        group by aim, what, h, k)
), told as (
    select use.*, greatest(a + b * x, 0) as t,
           least(9, floor(10 * percent_rank() over (partition by aim, what, o order by round(x, 9)))) as part
    from use join line using (aim, what, h) where k = 6
), mean as (
    select aim, what, sum(y) / sum(t) as f from told where o > if(aim = 'forecast', 1, 3) group by all
), reach as (
    select aim, what, part, quantile_disc(y - t, 0.1) as l80, quantile_disc(y - t, 0.9) as u80,
           quantile_disc(y - t, 0.025) as l95, quantile_disc(y - t, 0.975) as u95
    from told where o > if(aim = 'forecast', 1, 3) group by all
), answer as (
    select aim, what, who, t, t * f as m, greatest(t + l80, 0) as l80, t + u80 as u80, greatest(t + l95, 0) as l95,
           t + u95 as u95
    from told left join mean using (aim, what) left join reach using (aim, what, part)
    where o = if(aim = 'forecast', 0, 2)
), one as (
    select who, min(day) <= getvariable('last') - 90 as old,
           count(*) filter (where day > getvariable('last') - 365) as n12,
           coalesce(sum(net) filter (where day > getvariable('last') - 365), 0) as v12,
           count(*) filter (where day > getvariable('last') - 90) as n0,
           count(*) filter (where day between getvariable('last') - 179 and getvariable('last') - 90) as n1,
           coalesce(sum(net) filter (where day > getvariable('last') - 90), 0) as v0,
           coalesce(sum(net) filter (where day between getvariable('last') - 179 and getvariable('last') - 90), 0) as v1
    from receipt group by who
)
select one.who as customer_id, getvariable('last') as as_of_date,
       getvariable('last') - getvariable('first') < 269 as is_history_cut, n12 as twelve_month_baskets_count,
       v12 as twelve_month_value_amount, n0 as last_90_days_baskets_count, v0 as last_90_days_sales_amount,
       n.m as expected_baskets_count, n.t as typical_baskets_count, n.l80 as lower_80_baskets_count,
       n.u80 as upper_80_baskets_count, n.l95 as lower_95_baskets_count, n.u95 as upper_95_baskets_count,
       v.m as expected_value_amount, v.t as typical_value_amount, v.l80 as lower_80_value_amount,
       v.u80 as upper_80_value_amount, v.l95 as lower_95_value_amount, v.u95 as upper_95_value_amount,
       rank() over (order by round(v.m, 9) desc nulls last) as expected_value_rank, old as is_in_holdout,
       if(old, hn.m, null) as holdout_expected_baskets_count, if(old, hn.t, null) as holdout_typical_baskets_count,
       if(old, n1, null) as holdout_naive_baskets_count, if(old, n0, null) as holdout_actual_baskets_count,
       if(old, n0 between hn.l80 - 1e-6 and hn.u80 + 1e-6, null) as is_baskets_in_holdout_80,
       if(old, n0 between hn.l95 - 1e-6 and hn.u95 + 1e-6, null) as is_baskets_in_holdout_95,
       if(old, hv.m, null) as holdout_expected_value_amount, if(old, hv.t, null) as holdout_typical_value_amount,
       if(old, v1, null) as holdout_naive_value_amount, if(old, v0, null) as holdout_actual_value_amount,
       if(old, v0 between hv.l80 - 1e-6 and hv.u80 + 1e-6, null) as is_value_in_holdout_80,
       if(old, v0 between hv.l95 - 1e-6 and hv.u95 + 1e-6, null) as is_value_in_holdout_95
from one
left join answer as n on n.who = one.who and n.aim = 'forecast' and n.what = 'baskets'
left join answer as v on v.who = one.who and v.aim = 'forecast' and v.what = 'sales'
left join answer as hn on hn.who = one.who and hn.aim = 'holdout' and hn.what = 'baskets'
left join answer as hv on hv.who = one.who and hv.aim = 'holdout' and hv.what = 'sales'
"""

FORECAST = """
with grid as (
    select starts, department from retail_week
    cross join (select distinct department from sold union all select 'ALL DEPARTMENTS') where not part
), money as (
    select cast(date_trunc('week', day) as date) as starts,
           if(grouping(department) = 1, 'ALL DEPARTMENTS', department) as department, cast(sum(net) as double) as net
    from sold group by grouping sets ((starts, department), (starts))
), week as (
    select department, starts, coalesce(net, 0) as net,
           cast(dense_rank() over (order by starts) as integer) as n
    from grid left join money using (starts, department)
), size as (select max(n) as n from week), life as (select unnest([1, 4, 16]) as h),
level as (
    select department, now.n, 'recent_' || h as method, sum(old.net * pow(0.5, (now.n - old.n) / h))
           / sum(pow(0.5, (now.n - old.n) / h)) as v
    from week as now join week as old using (department) cross join life
    where old.n <= now.n and old.n > now.n - 104 group by department, now.n, h
    union all
    select department, now.n, 'mean_of_4', avg(old.net)
    from week as now join week as old using (department) where old.n between now.n - 3 and now.n
    group by department, now.n
), ahead as (select cast(unnest(range(1, 14)) as integer) as k),
say as (
    select department, level.n, k, method, v
    from level cross join ahead cross join size where level.n > 3 and level.n > size.n - 105
    union all
    select department, now.n, k, replace(now.method, 'recent', 'seasonal'),
           (early.net + 2 * mid.net + late.net) / 4 * now.v / nullif(old.v, 0)
    from level as now cross join ahead cross join size
    join level as old using (department, method)
    join week as early using (department) join week as mid using (department) join week as late using (department)
    where now.method in ('recent_4', 'recent_16') and old.n = now.n - 52 and now.n > 3 and now.n > size.n - 105
          and early.n = now.n + k - 53 and mid.n = now.n + k - 52 and late.n = now.n + k - 51
), tried as (
    select say.*, abs(week.net - v) as miss, week.net - v as off, say.n + k as t
    from say join week on week.department = say.department and week.n = say.n + k
), yardstick as (select department, n, k, miss as usual from tried where method = 'mean_of_4'),
each as (
    select department, method, t, sum(miss) as miss, sum(usual) as usual
    from tried join yardstick using (department, n, k) group by department, method, t
), sofar as (
    select now.department, now.method, now.t as n, sum(old.miss) / nullif(sum(old.usual), 0) as rate
    from each as now join each as old using (department, method) where old.t <= now.t
    group by now.department, now.method, now.t having count(*) >= 8
), pick as (
    select department, n, first(method order by round(rate, 6) nulls last, list_position(
        ['mean_of_4', 'recent_4', 'recent_16', 'recent_1', 'seasonal_16', 'seasonal_4'], method)) as method
    from sofar group by department, n
), today as (
    select department, coalesce(pick.method, 'mean_of_4') as method
    from (select distinct department from week) cross join size left join pick using (department, n)
), said as (
    select tried.department, tried.n, tried.k, miss, usual
    from tried join yardstick using (department, n, k) left join pick using (department, n)
    where tried.method = coalesce(pick.method, 'mean_of_4')
), copied as (
    select said.*, abs(goal.net - past.net) as lazy from said
    join week as goal on goal.department = said.department and goal.n = said.n + said.k
    left join week as past on past.department = said.department and past.n = goal.n - 52
    cross join size
    where size.n >= 104
), verdict as (
    select department, count(distinct n) as origins, avg(miss) as miss, avg(usual) as usual from said
    group by department
), rival as (
    select department, avg(miss) filter (where lazy is not null) as miss, avg(lazy) as lazy from copied
    group by department
), width as (
    select department, k, sqrt(avg(off * off) * (1 + k / (2 * count(*)))) as s
    from tried join today using (department, method) group by department, k having count(*) >= 8
)
select department, cast(week.starts + 7 * k as date) as week_start_date,
       department = 'ALL DEPARTMENTS' as is_all_departments, k as weeks_ahead, greatest(v, 0) as forecast_amount,
       if(s is null, null, greatest(v - 1.2816 * s, 0)) as lower_80_amount,
       if(s is null, null, greatest(v + 1.2816 * s, 0)) as upper_80_amount,
       if(s is null, null, greatest(v - 1.96 * s, 0)) as lower_95_amount,
       if(s is null, null, greatest(v + 1.96 * s, 0)) as upper_95_amount, method as forecast_method,
       coalesce(origins, 0) as origins_count, verdict.miss as mean_error_amount, usual as mean_of_4_error_amount,
       verdict.miss / nullif(usual, 0) as error_to_mean_of_4_rate,
       rival.miss / nullif(lazy, 0) as error_to_seasonal_naive_rate,
       case when coalesce(origins, 0) < 8 then 'cannot tell'
            when verdict.miss >= usual then 'no better than the mean of 4 weeks'
            when rival.miss >= lazy then 'no better than the year before' else 'better' end as verdict
from today join say using (department, method) join size using (n) join week using (department, n)
left join width using (department, k) left join verdict using (department) left join rival using (department)
"""

COUPONS = """
with thing as (select campaign, upc, count(*) as items from coupon group by all),
reached as (select campaign, count(*) as n from mailed group by all),
used as (select campaign, upc, count(*) as times, count(distinct who) as people, min(day) as first, max(day) as last
         from redemption group by all),
at_till as (
    select campaign, upc, sum(net) as net, sum(maker) as maker, sum(own) as own
    from (select distinct campaign, upc, who, day from redemption) join coupon using (campaign, upc)
    join sold using (who, day, item) group by all
), around as (
    select coupon.campaign, coupon.upc, sum(net) as net
    from sold join mailed using (who) join offer using (campaign)
    join coupon on coupon.campaign = mailed.campaign and coupon.item = sold.item
    where day between opens and closes group by all
)
select campaign as campaign_id, upc as coupon_id, kind as campaign_type, items as products_count, n as contacts_count,
       coalesce(times, 0) as redemptions_count, coalesce(people, 0) as redeeming_customers_count,
       first as first_redemption_date, last as last_redemption_date, coalesce(people, 0) / n as redemption_rate,
       greatest((r + 1.9208 / n - 1.96 * sqrt(r * (1 - r) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n), 0)
           as redemption_lower_rate,
       (r + 1.9208 / n + 1.96 * sqrt(r * (1 - r) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n) as redemption_upper_rate,
       coalesce(at_till.net, 0) as redeemed_sales_amount, coalesce(at_till.maker, 0) as manufacturer_coupon_amount,
       coalesce(at_till.own, 0) as coupon_match_amount, coalesce(around.net, 0) as promoted_sales_amount,
       n < 30 as is_small_group
from thing join offer using (campaign) left join reached using (campaign) left join used using (campaign, upc)
cross join lateral (select coalesce(people, 0) / n as r)
left join at_till using (campaign, upc) left join around using (campaign, upc)
"""

SALES = """
select day as business_date, store as store_id, department, sum(net + card + own) as gross_sales_amount,
       sum(card) as loyalty_discount_amount, sum(own) as coupon_match_amount, sum(net) as net_sales_amount,
       sum(maker) as manufacturer_coupon_amount, sum(net - maker) as customer_paid_amount,
       sum(case when goods then quantity else 0 end) as units_count, count(distinct basket) as baskets_count,
       count(distinct who) as customers_count, sum(net) / count(distinct basket) as average_basket_amount,
       sum(card + own) / nullif(sum(net + card + own), 0) as discount_rate
from sold group by all
"""

PRODUCTS = """
with cell as (
    select coalesce(item_now.item, 0) as item, cast(date_trunc('month', day) as date) as m,
        sum(net + card + own) as gross,
           sum(net) as net, sum(card + own) as given, sum(case when goods then quantity else 0 end) as units,
           count(distinct basket) as baskets, count(distinct who) as people
    from sold left join item_now on item_now.item = sold.item group by all
), life as (select item, min(m) as born from cell group by item),
grid as (
    select item_now.*, born, month.starts as m, part, coalesce(gross, 0) as gross, coalesce(net, 0) as net,
           coalesce(given, 0) as given, coalesce(units, 0) as units, coalesce(baskets, 0) as baskets,
           coalesce(people, 0) as people
    from life join item_now using (item) join month on month.starts >= born
    left join cell on cell.item = life.item and cell.m = month.starts
), year as (
    select now.item, now.m, sum(old.net) as y, sum(old.baskets) as yb, count(*) as months
    from grid as now join grid as old on old.item = now.item and old.m <= now.m and old.m > now.m - interval 12 month
    group by now.item, now.m
), level as (
    select department, m, y, sum(y) as at, count(*) as n from grid join year using (item, m) group by department, m, y
),
above as (
    select low.department, low.m, low.y, coalesce(sum(high.at), 0) as better, coalesce(sum(high.n), 0) as places
    from level as low left join level as high
        on high.department = low.department and high.m = low.m and high.y > low.y group by all
), whole as (
    select department, m, sum(net) as net, sum(y) as y from grid join year using (item, m) group by department, m
),
recent as (
    select now.item, now.m, sum(old.baskets) as baskets
    from grid as now join grid as old on old.item = now.item and old.m between now.m - interval 2 month and now.m
    group by all
)
select grid.item as product_id, grid.m as month_start_date, grid.department, grid.category as product_category,
    grid.brand,
       grid.part as is_partial_month, date_diff('month', grid.born, grid.m) as months_since_first_sale_count,
       grid.gross as gross_sales_amount, grid.net as net_sales_amount, grid.units as units_count,
       grid.baskets as baskets_count, grid.people as customers_count,
       grid.net / nullif(grid.units, 0) as average_price_amount, grid.given / nullif(grid.gross, 0) as discount_rate,
       places + 1 as department_rank, grid.net / nullif(whole.net, 0) as department_share_rate,
       case when year.y <= 0 then 'C' when better * 100 < whole.y * 80 then 'A'
            when better * 100 < whole.y * 95 then 'B' else 'C' end as abc_class,
       year.y as trailing_sales_amount, months as trailing_months_count, yb < 30 as is_small_number,
       old.net as previous_net_sales_amount, grid.net - old.net as net_sales_change_amount,
       (grid.net - old.net) / nullif(old.net, 0) as net_sales_change_rate, recent.baskets = 0 as is_dormant,
       abs(grid.baskets / now_month.days - old.baskets / old_month.days)
       > 3 * sqrt(grid.baskets / now_month.days ** 2 + old.baskets / old_month.days ** 2) + 1e-12 and not grid.part
       as is_change_beyond_chance
from grid join year using (item, m)
join above on above.department = grid.department and above.m = grid.m and above.y = year.y
join whole on whole.department = grid.department and whole.m = grid.m
join recent on recent.item = grid.item and recent.m = grid.m
left join grid as old on old.item = grid.item and old.m = grid.m - interval 1 month
left join month as now_month on now_month.starts = grid.m left join month as old_month on old_month.starts = old.m
"""

SCORED = """
create or replace temp table scored as
with base as (
    select month.starts as m, month.seen as at, who, date_diff('day', max(day), month.seen) as r, count(*) as f,
           sum(net) as v
    from month join receipt on day <= month.seen and day > month.seen - 365 group by month.starts, month.seen, who
), every as (select m, count(*) as n from base group by m),
level as (
    select base.*,
           least(floor(5 * (select count(*) from base as o where o.m = base.m
               and o.r > base.r) / greatest(n - 1, 1)), 4)
           + 1 as rs,
           least(floor(5 * (select count(*) from base as o where o.m = base.m
               and o.f < base.f) / greatest(n - 1, 1)), 4)
           + 1 as fs,
           least(floor(5 * (select count(*) from base as o where o.m = base.m
               and o.v < base.v) / greatest(n - 1, 1)), 4)
           + 1 as vs
    from base join every using (m)
)
select level.*, segment.segment_name as name
from level left join read_csv('seeds/rfm_segments.csv') as segment
    on segment.recency_score = rs and segment.frequency_score = fs and segment.monetary_score = vs
"""

SEGMENTS = """
with busy as (
    select scored.m, scored.name, count(*) as n, sum(v) as v, sum(bought.n) as baskets, sum(bought.net) as net
    from scored left join (select who, cast(date_trunc('month', day) as date) as m, count(*) as n, sum(net) as net
                           from receipt group by all) as bought using (m, who)
    group by all
), grid as (
    select month.*, name.name, coalesce(n, 0) as n, coalesce(v, 0) as v, coalesce(baskets, 0) as baskets,
           coalesce(net, 0) as net
    from month cross join (select distinct segment_name as name from read_csv('seeds/rfm_segments.csv')) as name
    left join busy on busy.m = month.starts and busy.name = name.name
), whole as (select starts, sum(n) as n, sum(net) as net from grid group by all)
select starts as month_start_date, name as segment_name, seen as scored_on_date, part as is_partial_month,
       seen < getvariable('first') + 364 as is_window_cut, grid.n as customers_count,
       grid.n / whole.n as customers_share_rate, v as monetary_amount, baskets as baskets_count,
       grid.net as net_sales_amount,
       grid.net / whole.net as sales_share_rate, grid.net / nullif(baskets, 0) as average_basket_amount,
       grid.n < 30 as is_small_group
from grid join whole using (starts)
"""

MIGRATION = """
with pair as (
    select month.starts as m, month.seen, month.part, who.who, coalesce(old.name, 'Inactive') as was, coalesce(new.name,
        'Inactive') as is_now
    from month cross join (select distinct who from receipt) as who
    left join scored as old on old.who = who.who and old.m = month.starts - interval 1 month
    left join scored as new on new.who = who.who and new.m = month.starts
    where month.starts > getvariable('first') and (old.who is not null or new.who is not null)
), whole as (select m, was, count(*) as n from pair group by all),
cell as (select m, seen, part, was, is_now, count(*) as n from pair group by all)
select m as month_start_date, was as from_segment_name, is_now as to_segment_name, part as is_partial_month,
       seen < getvariable('first') + 364 as is_window_cut, was = is_now as is_same_segment, cell.n as customers_count,
       whole.n as from_customers_count, case when was <> 'Inactive' then cell.n / whole.n end as migration_rate,
       whole.n < 30 as is_small_group
from cell join whole using (m, was)
"""

MEMBERS = """
create or replace temp table member as
with seen as (
    select campaign, false as dummy, opens, closes, cast(date_diff('day', opens, closes) as integer) + 1 as days
    from offer
    where opens <= closes
), span as (
    select campaign, dummy, opens, closes, days from seen
    union all
    select campaign, true, cast(opens - days as date), cast(opens - 1 as date), days from seen
), aged as (
    select *, date_diff('day', getvariable('first'), opens) as known,
           greatest(opens - 365, getvariable('first')) as since,
           greatest(opens - days, getvariable('first')) as from_day
    from span
), kept as (select * from aged where not dummy or known >= 90),
spent as (select who, day, cast(sum(net) as double) as net from receipt group by all),
weight as (
    select campaign, dummy, day, round(1000000 * 0.5 ^ (date_diff('day', day, opens) / 60)) as w
    from kept join calendar on day >= since and day < opens
), past as (
    select campaign, dummy, who, sum(round(net * 100) * w) / 100 as s
    from weight join spent using (day) group by all having s > 0
), based as (
    select campaign, dummy, who, round(s / total, 6) as base
    from past join (select campaign, dummy, sum(w) as total from weight group by all) using (campaign, dummy)
), placed as (
    select based.*, (select count(*) from based as low where low.campaign = based.campaign and low.dummy = based.dummy
                     and low.base < based.base) as below,
           count(*) over (partition by campaign, dummy) as n
    from based
), busy as (
    select kept.campaign, kept.dummy, who, count(distinct day) as busy
    from kept join calendar on day between kept.opens and kept.closes
    join offer as other on day between other.starts and other.ends and other.campaign <> kept.campaign
    join mailed on mailed.campaign = other.campaign group by all
), alike as (
    select kept.*, placed.who, base, (campaign, placed.who) in (select (campaign, who) from mailed) as reached,
           least(below * 20 // greatest(n - 1, 1), 19) as twentieth, coalesce(busy, 0) as busy,
           case when coalesce(busy, 0) = 0 then 0 when busy < days / 2 then 1 else 2 end as others,
           coalesce((select sum(net) from spent where spent.who = placed.who and day >= from_day and day < opens), 0)
               as before,
           coalesce((select sum(net) from spent where spent.who = placed.who and day between opens and closes), 0)
               as during
    from placed join kept using (campaign, dummy) left join busy using (campaign, dummy, who)
), cell as (
    select campaign, dummy, twentieth, others, sum(base) filter (where reached) as ab,
           sum(base) filter (where not reached) as cb, sum(during) filter (where not reached) as cd
    from alike group by all having count(*) filter (where reached) > 0 and count(*) filter (where not reached) > 1
)
select alike.*, case when reached then 1 else round(ab / cb, 10) end as w, base * cd / cb as due, base / cb as part
from alike join cell using (campaign, dummy, twentieth, others)
"""

DAYS = """
with level as (
    select campaign, count(*) filter (where reached) as a, count(*) filter (where not reached) as c
    from member where not dummy group by campaign
), cell as (
    select campaign, day, coalesce(sum(net) filter (where reached), 0) as av,
           coalesce(sum(w * net) filter (where not reached), 0) as cv
    from receipt join member using (who) where not dummy and day between opens and closes group by all
), used as (select campaign, day, count(*) as n from redemption group by all),
grid as (
    select offer.campaign, opens, calendar.day, coalesce(a, 0) as a, coalesce(c, 0) as c, coalesce(used.n, 0) as used,
           coalesce(av, 0) as av, coalesce(cv, 0) as cv
    from offer join calendar on calendar.day between opens and closes left join level using (campaign)
    left join cell on cell.campaign = offer.campaign and cell.day = calendar.day
    left join used on used.campaign = offer.campaign and used.day = calendar.day
), running as (
    select now.campaign, now.day, sum(old.used) as used, sum(old.av) as av, sum(old.av - old.cv) as more
    from grid as now join grid as old on old.campaign = now.campaign and old.day <= now.day group by all
)
select campaign as campaign_id, day as business_date, date_diff('day', opens, day) + 1 as day_number,
       a as audience_count, c as control_count, grid.used as redemptions_count,
       running.used as cumulative_redemptions_count, grid.av as audience_sales_amount, cv as expected_sales_amount,
       running.av as cumulative_audience_sales_amount, grid.av / nullif(a, 0) as audience_daily_amount,
       cv / nullif(a, 0) as control_daily_amount, (grid.av - cv) / nullif(a, 0) as uplift_daily_amount,
       case when a > 0 then more end as cumulative_incremental_sales_amount, a < 30 or c < 30 as is_small_group
from grid join running using (campaign, day)
"""

LIFT = """
with shown as (
    from (values ('0', 'Not on display'), ('1', 'Store front'), ('2', 'Store rear'), ('3', 'Front end cap'),
          ('4', 'Mid-aisle end cap'), ('5', 'Rear end cap'), ('6', 'Side-aisle end cap'), ('7', 'In-aisle'),
          ('9', 'Secondary location'), ('A', 'In-shelf')) as shown(display, display_name)
), mailed_out as (
    from (values ('0', 'Not on ad'), ('A', 'Interior page feature'), ('C', 'Interior page line item'),
          ('D', 'Front page feature'), ('F', 'Back page feature'), ('H', 'Wrap front feature'),
          ('J', 'Wrap interior coupon'), ('L', 'Wrap back feature'), ('P', 'Interior page coupon'),
          ('X', 'Free on interior page'), ('Z', 'Free on front page, back page or wrap'))
          as mailed_out(mailer, mailer_name)
), week as (
    select item, store, date_diff('day', date '2016-12-26', day) // 7 + 1 as week,
           sum(case when goods_now then quantity else 0 end) as units, sum(net) as net,
           sum(net + card + own) as gross
    from (select sold.*, sold.goods as goods_now, item_now.category as c,
                 item_now.department not in ('FUEL', 'COUPON', 'UNKNOWN') and item_now.category <> 'COUPON/MISC ITEMS'
                 and item_now.category <> 'Unknown' as wanted
          from sold join item_now using (item)) where wanted
          and date_trunc('week', day) in (select starts from retail_week where not part)
    group by all
), life as (select item, min(week) as born, max(week) as dies from week group by item),
feed as (select distinct store, week from promotion),
placed as (select promotion.*, born, dies from promotion join life using (item)
           where week between born and dies and not (display = '0' and mailer = '0')),
covered as (
    select item, store, count(*) as weeks, sum(units) as units, sum(net) as net, sum(gross) as gross,
           count(sold_week) as sold_weeks
    from (select kept.item, feed.store, feed.week, coalesce(week.units, 0) as units, coalesce(week.net, 0) as net,
                 coalesce(week.gross, 0) as gross, week.week as sold_week
          from (select distinct item, store, born, dies from week join life using (item)) as kept
          join feed on feed.store = kept.store and feed.week between born and dies
          left join week on week.item = kept.item and week.store = feed.store and week.week = feed.week)
    group by all having count(sold_week) > 0
), tagged as (
    select placed.item, placed.store, display, mailer, count(*) as n, coalesce(sum(week.units), 0) as units,
           coalesce(sum(week.net), 0) as net, coalesce(sum(week.gross), 0) as gross
    from placed join covered using (item, store) left join week using (item, store, week) group by all
), tags as (
    select item, store, sum(n) as n, sum(units) as units, sum(net) as net, sum(gross) as gross from tagged group by all
),
compared as (
    select item_now.category, display, mailer, cast(tagged.n as double) as n, cast(tagged.units as double) as y,
           cast(tagged.net as double) as v, cast(tagged.gross as double) as g, covered.weeks - tags.n as m,
           case when m > 0 then tagged.n * cast(covered.units - tags.units as double) / m end as x,
           case when m > 0 then tagged.n * cast(covered.net - tags.net as double) / m end as w,
           case when m > 0 then tagged.n * cast(covered.gross - tags.gross as double) / m end as h
    from tagged join tags using (item, store) join covered using (item, store) join item_now using (item)
), added as (
    select category, display, mailer, count(*) filter (where m > 0) as pairs, count(*) filter (where m = 0) as always,
           coalesce(sum(n) filter (where m > 0), 0) as n, coalesce(sum(m) filter (where m > 0), 0) as m,
           sum(y) filter (where m > 0) as y, sum(x) as x, sum(v) filter (where m > 0) as v, sum(w) as w,
           sum(g) filter (where m > 0) as g, sum(h) as h
    from compared group by all
), size as (
    select category, store, cast(sum(units) as double) as size from week join item_now using (item) group by all
), shop as (
    select covered.item, covered.store, category, size, born, dies
    from covered join item_now using (item) join size using (category, store) join life using (item)
), every as (
    -- all stores of a product in all weeks that the feed covers, whether anything sold or not
    select shop.item, shop.category, shop.store, feed.week, size, coalesce(week.units, 0) as units,
           week.gross, week.net,
           week.units is not null as sells, coalesce(display, '0') as display, coalesce(mailer, '0') as mailer
    from shop join feed using (store) left join week on week.item = shop.item and week.store = shop.store
        and week.week = feed.week
    left join placed on placed.item = shop.item and placed.store = shop.store and placed.week = feed.week
    where feed.week between shop.born and shop.dies
), price as (
    -- in whole cents, for a depth of 7.5 % lies between two steps
    select item, week, count(*) as sellers,
           greatest(cast(round(100 * (41 * sum(gross) - 40 * sum(net))) as bigint), 0)
           // cast(round(200 * sum(gross)) as bigint) as step
    from every where sells group by all having sum(gross) > 0
), way as (
    select 'week' as way, item, category, every.week as stratum, display, mailer, size, units
    from every join price using (item, week)
    union all
    select 'depth', item, category, step, display, mailer, size, units
    from every join price using (item, week) where sellers > 1 or not sells
), bar as (
    select way, item, category, stratum, display, mailer, sum(size) as t, sum(units) as u from way group by all
), pair as (
    select bar.way, bar.item, bar.category, bar.display, bar.mailer, bar.t, case when base.t > 0 then bar.t else 0 end
               as told, bar.u * base.t / nullif(bar.t + base.t, 0) as a,
           base.u * bar.t / nullif(bar.t + base.t, 0) as b
    from bar left join (from bar where display = '0' and mailer = '0') as base using (way, item, stratum)
    where not (bar.display = '0' and bar.mailer = '0')
), thing as (
    select way, item, category, display, mailer, sum(t) as t, sum(told) as told, coalesce(sum(a), 0) as a,
           coalesce(sum(b), 0) as b from pair group by all
), whole as (
    select way, category, display, mailer, sum(told) / nullif(sum(t), 0) as told,
           count(*) filter (where a + b > 0) as things,
           sum(a) as sa, sum(b) as sb, sum(a) / nullif(sum(b), 0) as r from thing group by all
), far as (
    select way, category, display, mailer, (a - r * b) / nullif(1 - b / sb, 0) as d
    from thing join whole using (way, category, display, mailer) where sb > 0 and a + b > 0
), spread as (
    select way, category, display, mailer, sqrt(sum(d ^ 2)) as e, 3 * sum(d ^ 2) ^ 2 / nullif(sum(d ^ 4), 0) as f
    from far group by all having count(*) = count(d)
), lift as (
    select whole.*, e / nullif(sa, 0) * (1 + 1.21 / f + 1.44 / f ^ 2) as e
    from whole left join spread using (way, category, display, mailer)
), chosen as (
    select added.*, w.r as wr, w.told as wt, d.r as dr,
           case when w.things >= 10 and w.told >= 0.5 and w.e is not null then 'same week'
                when d.things >= 10 and d.e is not null then 'equal depth' else 'none' end as quote,
           case quote when 'same week' then w.r when 'equal depth' then d.r end as r,
           case quote when 'same week' then w.e when 'equal depth' then d.e end as e
    from added left join (from lift where way = 'week') as w using (category, display, mailer)
    left join (from lift where way = 'depth') as d using (category, display, mailer)
)
select category as product_category, display as display_code, mailer as mailer_code,
       display_name, mailer_name, cast(pairs as integer) as product_stores_count,
       cast(always as integer) as always_placed_count,
       cast(n as bigint) as with_weeks_count, cast(m as bigint) as without_weeks_count,
       y / nullif(n, 0) as with_weekly_units_count, x / nullif(n, 0) as without_weekly_units_count,
       v / nullif(n, 0) as with_weekly_sales_amount, w / nullif(n, 0) as without_weekly_sales_amount,
       1 - v / nullif(g, 0) as with_discount_rate, 1 - w / nullif(h, 0) as without_discount_rate,
       y / nullif(x, 0) - 1 as plain_units_lift_rate, v / nullif(w, 0) - 1 as plain_net_sales_lift_rate,
       dr - 1 as equal_depth_lift_rate, wr - 1 as same_week_lift_rate, coalesce(wt, 0) as same_week_compared_rate,
       quote as quoted_comparison, r - 1 as units_lift_rate, r * exp(-1.96 * e) - 1 as units_lift_lower_rate,
       r * exp(1.96 * e) - 1 as units_lift_upper_rate,
       case quote when 'same week' then 'against other stores in the same week: season and price are the same'
                  when 'equal depth' then 'nearly all stores have it at once: the season can''t be told apart'
                  else 'too little compares' end as caution
from chosen join shown using (display) join mailed_out using (mailer)
"""


CAMPAIGNS = """
with t as (
    select campaign, dummy, any_value(known) as known, any_value(date_diff('day', from_day, opens)) as b,
           any_value(days) as d, count(*) filter (where reached) as a, count(*) filter (where not reached) as c,
           sum(before) filter (where reached) as ab, sum(during) filter (where reached) as ad,
           sum(w * before) filter (where not reached) as cb, sum(w * during) filter (where not reached) as cd,
           avg(busy) filter (where reached) as abusy,
           sum(w * busy) filter (where not reached) / sum(w) filter (where not reached) as cbusy
    from member group by all
), far as (
    select campaign, dummy,
           case when reached then (during - ad / cd * due) / nullif(1 - due / cd, 0)
                else w * (during - due) / nullif(1 - part, 0) end as r
    from member join t using (campaign, dummy) where cd > 0
), spread as (
    select campaign, dummy, sqrt(sum(r ^ 2)) as e, 3 * sum(r ^ 2) ^ 2 / nullif(sum(r ^ 4), 0) as f
    from far group by all having count(*) = count(r)
), error as (select campaign, dummy, e * (1 + 1.21 / f + 1.44 / f ^ 2) as e from spread),
-- the normal distribution's tail by adding up its density, 0.001 at a time
tail as (
    select campaign, dummy,
           1 - 2 * sum(exp(-((abs(ad - cd) / e * (k + 0.5) / 8000) ^ 2) / 2)) * abs(ad - cd) / e / 8000
               / sqrt(2 * pi()) as p
    from t join error using (campaign, dummy) cross join range(8000) as step(k) group by campaign, dummy, ad, cd, e
), n as (select campaign, count(*) as n from mailed group by all),
judged as (
    select t.*, e, p, n,
           case when p is null then 'there is nobody to compare with'
                when known < 90 then 'the data begins less than 90 days before it'
                when a < 30 or c < 30 then 'fewer than 30 customers compare'
                when 2 * a < n then 'most of its audience has nobody alike' end as flaw
    from t left join error using (campaign, dummy) left join tail using (campaign, dummy) left join n using (campaign)
), sound as (select campaign, p from judged where flaw is null and not dummy),
stepped as (
    select campaign, sound.p, sound.p * (select count(*) from sound) /
           (select count(*) from sound as o where o.p <= sound.p) as q from sound
), adjusted as (
    select campaign, least(1, (select min(o.q) from stepped as o where o.p >= stepped.p)) as q from stepped
), figure as (
    select judged.*, q, 2.8 * judged.e / judged.cd as least_seen, dummies.p as dp,
           dummies.ad / dummies.cd - 1 as du
    from judged left join adjusted using (campaign)
    left join (select * from judged where dummy) as dummies on dummies.campaign = judged.campaign
    where not judged.dummy
), said as (
    select *, case when flaw is not null then flaw when q < 0.05 then null
                   when least_seen > 0.2 then 'chance would hide even 20 %' end as doubt from figure
), offered as (select campaign, count(distinct upc) as upcs, count(distinct item) as items from coupon group by all),
used as (select campaign, count(*) as times, count(distinct who) as people from redemption group by all),
till as (
    select campaign, sum(own) as own, sum(net) as net
    from sold join mailed using (who) join offer using (campaign)
    where day between opens and closes and (campaign, item) in (select (campaign, item) from coupon) group by all
), span as (
    select campaign, date_diff('day', getvariable('first'), opens) as known, date_diff('day', opens, closes) + 1 as d
    from offer where opens <= closes
)
select campaign as campaign_id, kind as campaign_type, starts as start_date, ends as end_date,
       case when opens <= closes then opens end as observed_start_date,
       case when opens <= closes then closes end as observed_end_date,
       starts < getvariable('first') or ends > getvariable('last') as is_window_cut, coalesce(n.n, 0) as contacts_count,
       case when span.d is not null then coalesce(a, 0) end as audience_count,
       case when span.d is not null then coalesce(c, 0) end as control_count,
       coalesce(upcs, 0) as coupons_offered_count,
       coalesce(items, 0) as promoted_products_count, coalesce(times, 0) as redemptions_count,
       coalesce(people, 0) as redeeming_customers_count, coalesce(people, 0) / nullif(n.n, 0) as redemption_rate,
       coalesce(n.n, 0) * 0.85 as mailing_cost_amount, coalesce(own, 0) as coupon_match_cost_amount,
       coalesce(n.n, 0) * 0.85 + coalesce(own, 0) as campaign_cost_amount,
       coalesce(till.net, 0) as promoted_sales_amount,
       least(span.known, 365) as history_days_count, least(span.known, span.d) as before_days_count,
       span.d as during_days_count, span.known < span.d as is_before_cut,
       case when span.d is not null then coalesce(a, 0) < 30 or coalesce(c, 0) < 30 end as is_small_group,
       ab / nullif(a * b, 0) as audience_before_daily_amount, ad / (a * span.d) as audience_during_daily_amount,
       ad * b / nullif(ab * span.d, 0) - 1 as audience_change_rate,
       cb / nullif(a * b, 0) as control_before_daily_amount, cd / (a * span.d) as control_during_daily_amount,
       cd * b / nullif(cb * span.d, 0) - 1 as control_change_rate,
       abusy / span.d as audience_overlap_rate, cbusy / span.d as control_overlap_rate,
       (ad - cd) / (a * span.d) as uplift_daily_amount,
       (ad - cd - 1.96 * e) / (a * span.d) as uplift_lower_amount,
       (ad - cd + 1.96 * e) / (a * span.d) as uplift_upper_amount,
       (ad - cd) / nullif(cd, 0) as uplift_rate, (ad - cd - 1.96 * e) / nullif(cd, 0) as uplift_lower_rate,
       (ad - cd + 1.96 * e) / nullif(cd, 0) as uplift_upper_rate, least_seen as detectable_rate, p as p_value,
       q as adjusted_p_value, du as placebo_uplift_rate, dp as placebo_p_value,
       case when span.d is null or a is null or doubt is not null then 'cannot tell'
            when q < 0.05 and ad > cd then 'sold more' when q < 0.05 then 'sold less' else 'no difference found' end
           as verdict,
       case when span.d is null then 'the data covers no day of it'
            when a is null then 'there is nobody to compare with' when doubt is not null then doubt
            when q < 0.05 and dp < 0.05
                then 'more than chance explains, but so it was already before: see how the audience was picked'
            when q < 0.05 then 'more than chance explains' else 'chance explains it as well' end as verdict_reason,
       ad - cd as incremental_sales_amount,
       (ad - cd) / nullif(coalesce(n.n, 0) * 0.85 + coalesce(own, 0), 0) as return_on_cost_rate
from offer left join said using (campaign) left join span using (campaign) left join n using (campaign)
left join offered using (campaign) left join used using (campaign) left join till using (campaign)
"""

PROFILES = """
with public as (
    select household_id as who, age, income, home_ownership, marital_status, household_size, household_comp,
        kids_count
    from demographics
), everyone as (
    select distinct who from receipt union select who from mailed union select who from public union
    select who from redemption
), bought as (
    select who, min(day) as first, max(day) as last, count(*) as n, sum(net) as net, sum(given) as given,
           sum(gross) as gross, count(*) filter (where maker > 0) as couponed from receipt group by who
), label as (
    select who, sum(net) filter (where brand = 'Private') as own,
           bool_or(brand <> 'Unknown') as branded, sum(net) as goods
    from sold where goods group by who
), department as (
    select who, first(department order by net desc, department) as name
    from (select who, department, sum(net) as net from sold group by all) group by who
), shop as (
    select who, first(store order by n desc, store) as store
    from (select who, store, count(*) as n from receipt group by all) group by who
), weekday as (
    select who, first(name order by n desc, dow) as name
    from (select who, isodow(day) as dow, dayname(day) as name, count(*) as n from receipt group by all) group by who
), clock as (
    select who, first(hour order by n desc, hour) as hour
    from (select who, hour, count(*) as n from receipt group by all) group by who
), used as (select who, count(*) as n from redemption group by who),
post as (select who, count(*) as n from mailed group by who)
select everyone.who as customer_id, coalesce(age, 'Unknown') as age_band, coalesce(income, 'Unknown') as income_band,
       coalesce(public.home_ownership, 'Unknown') as home_ownership,
       coalesce(public.marital_status, 'Unknown') as marital_status,
       coalesce(public.household_size, 'Unknown') as household_size,
       coalesce(household_comp, 'Unknown') as household_composition,
       coalesce(public.kids_count, 'Unknown') as kids_count, public.who is not null as has_demographics,
       bought.first as first_purchase_date, bought.last as last_purchase_date, coalesce(bought.n, 0) as baskets_count,
       coalesce(bought.n, 0) < 30 as is_small_number,
       coalesce(bought.net, 0) as net_sales_amount, bought.net / bought.n as average_basket_amount,
       given / nullif(gross, 0) as discount_rate, couponed / bought.n as coupon_basket_rate,
       coalesce(used.n, 0) as coupon_redemptions_count, department.name as favourite_department,
       shop.store as favourite_store_id, weekday.name as favourite_weekday_name, clock.hour as favourite_hour,
       case when branded then coalesce(own, 0) / nullif(goods, 0) end as private_brand_rate,
       case when bought.who is null then 'Prospect' when last < getvariable('last') - 90 then 'Lapsed'
            when last < getvariable('last') - 30 then 'Lapsing' when first > getvariable('last') - 90 then 'New'
            else 'Active' end
           as lifecycle_stage,
       r as recency_days_count, f as frequency_count, v as monetary_amount, cast(rs as integer) as recency_score,
       cast(fs as integer) as frequency_score, cast(vs as integer) as monetary_score, scored.name as segment_name,
       coalesce(post.n, 0) as campaigns_received_count
from everyone left join public using (who) left join bought using (who) left join label using (who)
left join department using (who) left join shop using (who) left join weekday using (who) left join clock using (who)
left join used using (who) left join post using (who)
left join scored on scored.who = everyone.who and scored.m = (select max(starts) from month)
"""


MARTS = {
    "sales_trends": Mart("sales", ("period_type", "period_start_date", "department"), TRENDS),
    "store_performance": Mart("sales", ("store_id", "month_start_date"), STORES),
    "sales_by_hour": Mart("sales", ("weekday_number", "business_hour", "department"), HOURS),
    "basket_affinity": Mart("sales", ("product_category", "other_product_category"), AFFINITY),
    "sales_forecast": Mart("sales", ("department", "week_start_date"), FORECAST),
    "cohort_retention": Mart("marketing", ("cohort_month_start_date", "months_since_count"), COHORTS),
    "customer_value": Mart("marketing", ("customer_id",), VALUE),
    "coupon_performance": Mart("marketing", ("campaign_id", "coupon_id"), COUPONS),
    "sales_performance": Mart("sales", ("business_date", "store_id", "department"), SALES),
    "product_performance": Mart("sales", ("product_id", "month_start_date"), PRODUCTS),
    "customer_segments": Mart("marketing", ("month_start_date", "segment_name"), SEGMENTS, first=SCORED),
    "segment_migration": Mart(
        "marketing", ("month_start_date", "from_segment_name", "to_segment_name"), MIGRATION, first=SCORED
    ),
    "campaign_daily": Mart("marketing", ("campaign_id", "business_date"), DAYS, first=MEMBERS),
    "promotion_lift": Mart(
        "sales",
        ("product_category", "display_code", "mailer_code"),
        LIFT,
    ),
    "campaign_performance": Mart("marketing", ("campaign_id",), CAMPAIGNS, first=MEMBERS),
    "customer_profiles": Mart("marketing", ("customer_id",), PROFILES, first=SCORED),
}
