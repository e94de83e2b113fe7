-- one row: one version of one S3 object in one raw table, as the loader's ledger has it
with source as (
    select * from {{ source('loader', 'files') }}
)

select
    file_id,
    schema_name,
    table_name,
    bucket,
    key,
    size_bytes,
    row_count as loaded_rows_count,
    rejected_count as rejected_rows_count,
    run_id,
    started_at,
    finished_at,
    status,
    error
from source
