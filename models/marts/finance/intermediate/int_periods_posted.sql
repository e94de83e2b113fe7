-- one row: one fiscal period of which journals have arrived
with periods as (
    select * from {{ ref('dim_fiscal_period') }}
)

select
    fiscal_period,
    period_start_date,
    period_end_date
from periods
where is_posted
