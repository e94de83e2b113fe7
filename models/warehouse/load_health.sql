-- one row: one raw table that the loader has met, with what came in, what was refused and what failed
with files as (
    select * from {{ ref('stg_loader__files') }}
),

schema_changes as (
    select * from {{ ref('stg_loader__schema_changes') }}
),

by_table as (
    select
        schema_name,
        table_name,
        sum(case when status = 'loaded' then 1 else 0 end) as loaded_files_count,
        sum(case when status = 'loaded' then delivered_rows_count else 0 end) as delivered_rows_count,
        sum(case when status = 'loaded' then loaded_rows_count else 0 end) as loaded_rows_count,
        sum(case when status = 'loaded' then rejected_rows_count else 0 end) as rejected_rows_count,
        sum(case when status = 'loaded' then waived_rows_count else 0 end) as waived_rows_count,
        sum(case when status = 'loaded' then withheld_rows_count else 0 end) as withheld_rows_count,
        sum(case when status = 'failed' then 1 else 0 end) as failed_files_count,
        sum(case when status = 'settled' then 1 else 0 end) as settled_files_count,
        sum(case when status = 'replaced' then 1 else 0 end) as replaced_files_count,
        min(case when status = 'loaded' then finished_at end) as first_loaded_at,
        max(case when status = 'loaded' then finished_at end) as last_loaded_at,
        max(case when status = 'loaded' then key end) as last_key,
        max(case when status = 'failed' then key || ': ' || error end) as last_failure
    from files
    group by schema_name, table_name
),

changes_by_table as (
    select
        schema_name,
        table_name,
        count(*) as schema_changes_count
    from schema_changes
    where closed_at is null
    group by schema_name, table_name
)

select
    by_table.schema_name,
    by_table.table_name,
    by_table.loaded_files_count,
    cast(by_table.delivered_rows_count as bigint) as delivered_rows_count,
    cast(by_table.loaded_rows_count as bigint) as loaded_rows_count,
    cast(by_table.rejected_rows_count as bigint) as rejected_rows_count,
    cast(by_table.waived_rows_count as bigint) as waived_rows_count,
    cast(by_table.withheld_rows_count as bigint) as withheld_rows_count,
    by_table.failed_files_count,
    by_table.settled_files_count,
    by_table.replaced_files_count,
    coalesce(changes_by_table.schema_changes_count, 0) as schema_changes_count,
    by_table.first_loaded_at,
    by_table.last_loaded_at,
    by_table.last_key,
    by_table.last_failure
from by_table
left join changes_by_table
    on
        by_table.schema_name = changes_by_table.schema_name
        and by_table.table_name = changes_by_table.table_name
