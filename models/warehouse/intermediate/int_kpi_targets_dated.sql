-- one row: the target of one key figure in one fiscal period
with kpi_targets as (
    select * from {{ ref('kpi_targets') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

-- the first target of a key figure is open to the past, as the first version of a dimension is
dated as (
    select
        kpi_targets.*,
        row_number() over (partition by kpi_code order by valid_from_period asc nulls first) as version_number,
        lead(valid_from_period) over (partition by kpi_code order by valid_from_period asc nulls first)
            as valid_to_period
    from kpi_targets
)

select
    periods.fiscal_period,
    dated.kpi_code,
    dated.kpi_order,
    dated.kpi_name,
    dated.unit,
    dated.better_when,
    dated.judged_on,
    dated.target_value,
    dated.watch_value
from periods
inner join dated
    on
        (dated.version_number = 1 or periods.fiscal_period >= dated.valid_from_period)
        and (dated.valid_to_period is null or periods.fiscal_period < dated.valid_to_period)
