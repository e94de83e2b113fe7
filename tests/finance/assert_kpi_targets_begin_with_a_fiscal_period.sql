-- A target begins with a fiscal period of the calendar, which a mistyped one is not. Before the first sale the calendar
-- is that of no year in particular, and says nothing. Failure rows: the key figure and the period.
{{ config(enabled=var('ledger', true)) }}
with kpi_targets as (
    select * from {{ ref('kpi_targets') }}
),

dates as (
    select distinct fiscal_period from {{ ref('dim_date') }}
),

visits as (
    select * from {{ ref('int_visits_observed') }}
)

select
    kpi_targets.kpi_code,
    kpi_targets.valid_from_period as fiscal_period,
    'key figure ' || kpi_targets.kpi_code || ': its target is valid from ' || kpi_targets.valid_from_period
    || ', which is no fiscal period of the calendar' as message
from kpi_targets
left join dates on kpi_targets.valid_from_period = dates.fiscal_period
where
    dates.fiscal_period is null
    and exists (select 1 from visits)
