-- Each raw table has of each file exactly the rows that the ledger says. One row: a file of which it has others.
-- Counted are each table's newest files (variable `counted_files`) and whatever is newer; `journey repair` counts all.
-- A table that no source declares, as of a subject area that was switched off, is left alone.
{%- set raw_tables = [] -%}
{%- set declared = [] -%}
{%- if execute -%}
    {%- for source in graph.sources.values() if source.external and source.external.location -%}
        {%- do declared.append("'" ~ source.schema ~ '.' ~ source.identifier ~ "'") -%}
        {%- set readable = readable_source(source) -%}
        {%- set relation = adapter.get_relation(readable.database, readable.schema, readable.identifier)
            if looks_up() else readable -%}
        {%- if relation -%}{%- do raw_tables.append((source, relation)) -%}{%- endif -%}
    {%- endfor -%}
{%- endif %}

with files as (
    select * from {{ ref('stg_loader__files') }}
),

newest_files as (
    select *
    from (
        select
            files.*,
            row_number() over (partition by schema_name, table_name order by file_id desc) as newest_rank
        from files
        where
            status = 'loaded'
            and schema_name || '.' || table_name in ({{ declared | join(', ') or "''" }})
    ) as ranked
    where newest_rank <= {{ var('counted_files') }}
),

counted as (
    {%- for source, relation in raw_tables %}
    select
        '{{ source.schema }}' as schema_name,
        '{{ source.identifier }}' as table_name,
        _file_id as file_id,
        count(*) as rows_count
    from {{ relation }}
    -- an expression that PostgreSQL knows before it begins, so that it uses the BRIN index on _file_id
    where _file_id >= (
        select coalesce(min(newest_files.file_id), 0)
        from newest_files
        where
            newest_files.schema_name = '{{ source.schema }}'
            and newest_files.table_name = '{{ source.identifier }}'
    )
    group by _file_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
        select
            schema_name,
            table_name,
            file_id,
            loaded_rows_count as rows_count
        from newest_files
    {%- endfor %}
)

select
    coalesce(newest_files.schema_name, counted.schema_name) as schema_name,
    coalesce(newest_files.table_name, counted.table_name) as table_name,
    newest_files.key,
    newest_files.loaded_rows_count,
    counted.rows_count,
    coalesce(newest_files.schema_name, counted.schema_name) || '.'
    || coalesce(newest_files.table_name, counted.table_name) || ': '
    || coalesce(newest_files.key, 'no loaded file has _file_id ' || {{ as_text('counted.file_id') }}) || ': '
    || {{ as_text('counted.rows_count', '0') }} || ' rows in the table, '
    || {{ as_text('newest_files.loaded_rows_count', '0') }}
    || ' in the ledger: journey repair shows more' as message
from newest_files
full outer join counted
    on
        newest_files.file_id = counted.file_id
        and newest_files.schema_name = counted.schema_name
        and newest_files.table_name = counted.table_name
where coalesce(newest_files.loaded_rows_count, 0) <> coalesce(counted.rows_count, 0)
