-- one row: one posted fiscal period and an earlier posted one that its sales are compared with
with periods as (
    select * from {{ ref('dim_fiscal_period') }}
    where is_posted
)

select
    'prior period' as comparison,
    periods.fiscal_period,
    base_periods.fiscal_period as base_fiscal_period
from periods
inner join periods as base_periods on periods.prior_fiscal_period = base_periods.fiscal_period

union all

select
    'prior year' as comparison,
    periods.fiscal_period,
    base_periods.fiscal_period as base_fiscal_period
from periods
inner join periods as base_periods
    on
        periods.fiscal_year = base_periods.fiscal_year + 1
        and periods.period_number = base_periods.period_number
