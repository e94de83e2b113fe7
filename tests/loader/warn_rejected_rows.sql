-- No row of a loaded file was refused. Failure rows: files and how many; `loader.rejected_rows` has the rows.
{{ config(severity='warn') }}

with files as (
    select * from {{ ref('stg_loader__files') }}
)

select
    schema_name,
    table_name,
    key,
    rejected_rows_count,
    schema_name || '.' || table_name || ': ' || key || ': '
    || {{ as_text('rejected_rows_count') }} || ' rows refused' as message
from files
where status = 'loaded' and rejected_rows_count > 0
