{#- What an engine must do for itself: each macro is dispatched, and postgres__ is PostgreSQL's. -#}

{% macro hash_of_set(column) -%}
    {#- An aggregate: a hash of texts in any order. -#}
    {{ return(adapter.dispatch('hash_of_set')(column)) }}
{%- endmacro %}

{% macro postgres__hash_of_set(column) -%}
    md5(string_agg({{ column }}, ',' order by {{ column }}))
{%- endmacro %}

{% macro row_hash(table_alias) -%}
    {#- A number that stands for a row's values. -#}
    {{ return(adapter.dispatch('row_hash')(table_alias)) }}
{%- endmacro %}

{% macro postgres__row_hash(table_alias) -%}
    hashtextextended(cast({{ table_alias }} as text), 0)
{%- endmacro %}

{% macro content_hash(relation) -%}
    {#- An expression: a text that stands for a table's rows, in any order. A table of many rows gets a new one with
        each build, which costs less than reading it. -#}
    {{ return(adapter.dispatch('content_hash')(relation)) }}
{%- endmacro %}

{% macro postgres__content_hash(relation) -%}
    (
        select case
            when (select count(*) from (select 1 from {{ relation }} limit 300001) as some_rows) > 300000
            then '{{ build_id() }}'
            else (
                select count(*) || ':' || coalesce(sum({{ row_hash('content') }}), 0) from {{ relation }} as content
            )
        end
    )
{%- endmacro %}

{% macro definition_of(view) -%}
    {#- An expression: a hash of a view's select as the database has it. -#}
    {{ return(adapter.dispatch('definition_of')(view)) }}
{%- endmacro %}

{% macro postgres__definition_of(view) -%}
    md5(pg_get_viewdef(to_regclass('{{ view.relation }}')))
{%- endmacro %}

{% macro prepare_state() -%}
    {#- On run start, before any model: makes the state's tables where they are missing or another version's; then all
        is built once more. -#}
    {{ return(adapter.dispatch('prepare_state')()) }}
{%- endmacro %}

{% macro postgres__prepare_state() -%}
    {%- set version, schema = state_version(), state_schema() -%}
    {%- if execute and flags.WHICH in building_commands() -%}
        {%- do wait_for_turn(schema) -%}
        {%- do prepare_publications() -%}
        {%- set there, tables = run_query(
            "select obj_description(oid, 'pg_namespace'), (select count(*) from pg_class where relnamespace = "
            ~ "pg_namespace.oid and relname in ('" ~ state_tables() | join("', '") ~ "')) from pg_namespace "
            ~ "where nspname = '" ~ schema ~ "'"
        ).rows[0].values() -%}
        {%- if there != 'version ' ~ version or tables != state_tables() | length -%}
            {%- if there -%}
                {%- do log(
                    "build_state is " ~ ("of an earlier version" if there != 'version ' ~ version else "incomplete")
                    ~ ": everything is built anew, once", info=true
                ) -%}
            {%- endif %}
            {%- for table in run_query(
                "select tablename from pg_tables where schemaname = '" ~ schema ~ "' and tablename <> 'builds'"
            ).rows %}
            drop table {{ schema }}.{{ table[0] }};
            {%- endfor %}
            {%- for node in graph.nodes.values() if is_step(node) %} {#- where they were until version 3 -#}
            drop table if exists {{ generate_schema_name(mart_folder(node), none) }}.{{ node.alias }} cascade;
            {%- endfor %}
            {%- for table, (columns, key) in state_tables().items() %}
            create table {{ schema }}.{{ table }} ({{ columns }}, primary key ({{ key }}));
            {%- endfor %}
            comment on schema {{ schema }} is 'version {{ version }}';
        {%- endif %}
        {{ take_turn(schema) }}
    {%- endif -%}
{%- endmacro %}

{% macro change_state(table, gone, new) -%}
    {#- Rows of the model's, or test's, state go, by a condition if there are any, and those of a select come. -#}
    {{ return(adapter.dispatch('change_state')(table, gone, new)) }}
{%- endmacro %}

{% macro postgres__change_state(table, gone, new) -%}
    {%- set statements = [] -%}
    {%- if gone -%}{%- do statements.append('delete from ' ~ state_table(table) ~ ' where ' ~ gone) -%}{%- endif -%}
    {%- if new -%}{%- do statements.append('insert into ' ~ state_table(table) ~ ' ' ~ new) -%}{%- endif -%}
    {%- do run_query(statements | join('; ')) -%}
{%- endmacro %}

{% macro forget_state(tables) -%}
    {#- All rows of the model in some tables of the state. -#}
    {{ return(adapter.dispatch('forget_state')(tables)) }}
{%- endmacro %}

{% macro postgres__forget_state(tables) -%}
    {%- set deletes = [] -%}
    {%- for table in tables -%}
        {%- do deletes.append("delete from " ~ state_table(table) ~ " where model_name = '" ~ model.name ~ "'") -%}
    {%- endfor -%}
    {%- do run_query(deletes | join('; ')) -%}
{%- endmacro %}

{% macro begin_alone() -%}
    {#- Begin a model's transaction, when no other builds the same table: returns whether it had to wait for one. All
        that it reads, it reads in one snapshot: a file that is loaded meanwhile is in neither the rows nor what is
        remembered of them. A server whose client is gone doesn't go on for nobody. Commits are in order, so what a
        crash of the server loses is built again; the build's last one, of its turn or a publication, waits for the
        disk. -#}
    {{ return(adapter.dispatch('begin_alone')()) }}
{%- endmacro %}

{% macro postgres__begin_alone() -%} {#- who waits for a lock in a snapshot sees nothing of what he waited for -#}
    {%- set lock = "(hashtextextended('" ~ this ~ "', 0))" -%}
    {%- set found = namespace(is_free=false, has_waited=false) -%}
    {%- do in_transaction('select 1') -%} {#- ends the one that psycopg2 began with the first query -#}
    {%- for attempt in range(1000) if not found.is_free -%}
        {%- call statement('begin', auto_begin=true) -%}
            begin transaction isolation level repeatable read
        {%- endcall -%}
        {%- set found.is_free = run_query(
            "select set_config('client_connection_check_interval', '1s', false), set_config('synchronous_commit', "
            ~ "'off', true), " ~ named_session() ~ ", pg_try_advisory_xact_lock" ~ lock ~ " as is_free"
        ).rows[0]['is_free'] -%}
        {%- if not found.is_free -%}
            {%- set found.has_waited = true -%}
            {%- do adapter.commit() -%}
            {%- do run_query("select pg_advisory_lock" ~ lock) -%}
            {%- do run_query("select pg_advisory_unlock" ~ lock) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found.has_waited) }}
{%- endmacro %}

{% macro remember_files(file_input, files, with_rows) -%}
    {#- The partitions of each of these files; with a hash of their rows there, if others may change what a file shows.
        By a temporary table, for an insert does not run in parallel. -#}
    {{ return(adapter.dispatch('remember_files')(file_input, files, with_rows)) }}
{%- endmacro %}

{% macro postgres__remember_files(file_input, files, with_rows) -%}
    {%- set day, those = config.get('partition_by').field, "any(array[" ~ files | join(', ') ~ "]::integer[])" -%}
    {%- set rows = "cast(sum(" ~ row_hash('shown') ~ ") as text)" if with_rows else "cast(null as text)" -%}
    {%- do run_query(
        "create temporary table new_files on commit drop as select _file_id, " ~ day ~ ", " ~ rows
        ~ " as rows_hash from " ~ file_input.relation ~ " as shown where _file_id = " ~ those ~ " and " ~ day
        ~ " is not null group by _file_id, " ~ day ~ "; delete from " ~ state_table('files') ~ " where model_name = '"
        ~ model.name ~ "' and file_id = " ~ those ~ "; insert into " ~ state_table('files')
        ~ " (model_name, file_id, partition_start, rows_hash) select '" ~ model.name ~ "', _file_id, " ~ day
        ~ ", rows_hash from new_files; drop table new_files"
    ) -%}
{%- endmacro %}

{% macro shows_rows_one_by_one(relation) -%}
    {#- Whether each row of a view comes of one raw row, whatever else is there: then what a file shows never changes. A
        join, a window or a subquery says otherwise. -#}
    {{ return(adapter.dispatch('shows_rows_one_by_one')(relation)) }}
{%- endmacro %}

{% macro postgres__shows_rows_one_by_one(relation) -%}
    {#- The planner knows: nothing but scans, and what puts their rows side by side. -#}
    {%- set plain = ('Seq Scan', 'Parallel Seq Scan', 'Append', 'Parallel Append', 'Gather', 'Subquery Scan') -%}
    {%- for row in run_query("explain (costs off) select * from " ~ relation).rows -%}
        {%- set line = row[0] | trim -%}
        {%- set is_node = loop.first or line.startswith('->') -%}
        {%- set is_other = is_node and not (line.removeprefix('->') | trim).startswith(plain) -%}
        {%- if is_other or line.startswith(('SubPlan', 'InitPlan', 'CTE ')) -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{% macro put_aside(name, query) -%}
    {#- A table for this transaction. -#}
    {{ return(adapter.dispatch('put_aside')(name, query)) }}
{%- endmacro %}

{% macro postgres__put_aside(name, query) -%}
    {%- do run_query("create temporary table " ~ name ~ " on commit drop as " ~ query ~ "; analyze " ~ name) -%}
{%- endmacro %}

{% macro kind_of(relation) -%}
    {#- An expression: what stands under a name now, table, view or null. dbt's cache may be older. -#}
    {{ return(adapter.dispatch('kind_of')(relation)) }}
{%- endmacro %}

{% macro postgres__kind_of(relation) -%}
    (
        select case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end
        from pg_class where oid = to_regclass('{{ relation }}')
    )
{%- endmacro %}

{% macro are_there(relations) -%}
    {#- Of each relation, whether it exists. -#}
    {{ return(adapter.dispatch('are_there')(relations)) }}
{%- endmacro %}

{% macro postgres__are_there(relations) -%}
    {%- set kinds = ['true'] -%}
    {%- for relation in relations -%}{%- do kinds.append(kind_of(relation) ~ ' is not null') -%}{%- endfor -%}
    {{ return((run_query('select ' ~ kinds | join(', ')).rows[0] | list)[1:]) }}
{%- endmacro %}

{% macro write_whole(target, work, sql) -%}
    {#- A new table in the place of what stands there; of a mart, new rows beside those that readers see. Returns
        whether what stands there now is new, and has no descriptions. -#}
    {%- if is_published(model) -%}{{ return(write_publishable(target, work.kind, sql)) }}{%- endif -%}
    {{ return(adapter.dispatch('write_whole')(target, work, sql)) }}
{%- endmacro %}

{% macro postgres__write_whole(target, work, sql) -%}
    {%- set new = make_intermediate_relation(target) -%}
    {%- call statement('main') -%}drop table if exists {{ new }};{{ create_table_as(false, new, sql) }}{%- endcall -%}
    {%- do add_constraints(new) -%}
    {%- do create_indexes(new) -%}
    {%- set members = model_inputs(model).members | rejectattr('is_joined') | list -%}
    {%- if members -%} {#- rows that wait for their member are found without a look at the others -#}
        {%- do run_query("create index on " ~ new ~ " (" ~ config.get('partition_by').field ~ ") where "
            ~ members | map(attribute='key') | join(' = 0 or ') ~ " = 0") -%}
    {%- endif -%}
    {%- do run_query(
        ("drop " ~ work.kind ~ " " ~ target ~ " cascade; " if work.kind else "") ~ "alter table " ~ new ~ " rename to "
        ~ adapter.quote(target.identifier) ~ "; analyze " ~ target
    ) -%}
    {{ return(true) }}
{%- endmacro %}

{% macro has_few_rows(work, target) -%}
    {#- Whether a table that was written whole is small enough to be read again for a hash of its rows. -#}
    {{ return(adapter.dispatch('has_few_rows')(work, target)) }}
{%- endmacro %}

{% macro postgres__has_few_rows(work, target) -%}
    {{ return(run_query(
        "select count(*) <= 300000 from (select 1 from " ~ target ~ " limit 300001) as some_rows"
    ).rows[0][0]) }}
{%- endmacro %}

{% macro write_partitions(target, partitions, sql) -%}
    {#- Replace partitions whole, those included that have no rows any more. -#}
    {%- if is_published(model) -%}{{ return(write_publishable_partitions(partitions, sql)) }}{%- endif -%}
    {{ return(adapter.dispatch('write_partitions')(target, partitions, sql)) }}
{%- endmacro %}

{% macro postgres__write_partitions(target, partitions, sql) -%}
    {%- set columns = model.columns.keys() | join(', ') -%}
    {%- set touched = config.get('partition_by').field ~ ' in (' ~ as_dates(partitions) ~ ')' -%}
    {%- do run_query("delete from " ~ target ~ " where " ~ touched) -%}
    {%- call statement('main') %}
        {{ config.get('sql_header', none) or '' }}
        insert into {{ target }} ({{ columns }})
        select {{ columns }} from (
            {{ sql }}
        ) as rebuilt
        where {{ touched }}
    {% endcall -%}
{%- endmacro %}
