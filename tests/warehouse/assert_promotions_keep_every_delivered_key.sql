-- Every delivered promotion row stands behind one fact: repeated keys are resolved, none is lost. (That keys are
-- unique is the primary key's promise.)
{{ config(enabled=var('promotions', true)) }}
with delivered as (
    select count(*) as rows_count
    from {{ ref('stg_pos__promotions') }}
),

facts as (
    select coalesce(sum(delivered_rows_count), 0) as rows_count
    from {{ ref('fct_promotions') }}
)

select
    delivered.rows_count as delivered_rows_count,
    facts.rows_count as facts_rows_count
from delivered
cross join facts
where delivered.rows_count is distinct from facts.rows_count
