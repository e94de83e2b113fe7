-- one row: one way in which files of a raw table, or the table, differ from what is declared
with source as (
    select * from {{ source('loader', 'schema_changes') }}
)

select
    schema_name,
    table_name,
    column_name,
    change,
    detail,
    first_key,
    first_seen_at,
    last_key,
    last_seen_at,
    closed_at
from source
