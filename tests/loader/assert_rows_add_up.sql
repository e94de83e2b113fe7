-- Every row that a file delivered is loaded, refused, waived or withheld. Failure rows: files of which rows are
-- unaccounted for.
with files as (
    select * from {{ ref('stg_loader__files') }}
)

select
    schema_name,
    table_name,
    key,
    delivered_rows_count,
    loaded_rows_count,
    rejected_rows_count,
    waived_rows_count,
    withheld_rows_count,
    schema_name || '.' || table_name || ': ' || key || ': '
    || {{ as_text('delivered_rows_count') }} || ' rows delivered, '
    || {{ as_text('loaded_rows_count + rejected_rows_count + waived_rows_count + withheld_rows_count') }}
    || ' accounted for' as message
from files
where
    status in ('loaded', 'settled')
    and coalesce(delivered_rows_count, case when status = 'loaded' then -1 else waived_rows_count end)
    <> coalesce(loaded_rows_count, 0) + coalesce(rejected_rows_count, 0) + coalesce(waived_rows_count, 0)
    + coalesce(withheld_rows_count, 0)
