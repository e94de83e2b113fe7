-- Every file that S3 had was loaded. Failure rows: the file and why. See the variable `failed_file_severity`.
-- No mart reads the ledger, but any may miss the file's rows: while this fails, nothing is published.
{{ config(severity=var('failed_file_severity'), meta={'holds_publication': true}) }}

with files as (
    select * from {{ ref('stg_loader__files') }}
)

select
    schema_name,
    table_name,
    key,
    error,
    schema_name || '.' || table_name || ': ' || key || ': ' || error as message
from files
where status = 'failed'
