-- question: Do new customers come back?
-- how to read it: of the customers that first bought in a month, the share that buys 1, 3 and 6 months later, with the
--   95 % interval. The first cohort is cut: it holds everybody who was a customer before the data began. Cohorts of
--   fewer than 30 customers are left out.
-- answer on the default data: Of the 185 customers that began in February 68.6 % bought a month later and 68.1 %
--   after six; of the 47 of April 74.5 % and 46.8 %. The small cohorts' intervals overlap: no trend is shown.
with cohorts as (
    select * from {{ ref('cohort_retention') }}
)

select
    cohort_month_start_date,
    is_cohort_cut,
    months_since_count,
    is_partial_month,
    cohort_customers_count,
    round(100 * retention_rate, 1) as retention_percent,
    round(100 * retention_lower_rate, 1) as retention_lower_percent,
    round(100 * retention_upper_rate, 1) as retention_upper_percent
from cohorts
where
    months_since_count in (1, 3, 6)
    and not is_small_group
order by cohort_month_start_date asc, months_since_count asc
