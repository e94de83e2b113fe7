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
    delivered_count as delivered_rows_count,
    row_count as loaded_rows_count,
    rejected_count as rejected_rows_count,
    waived_count as waived_rows_count,
    withheld_count as withheld_rows_count,
    replaces as replaced_file_id,
    run_id,
    started_at,
    finished_at,
    status,
    error,
    settled_at,
    settled_by,
    settled_because
from source
