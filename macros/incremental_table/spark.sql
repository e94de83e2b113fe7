{#- What Spark does for itself, on Parquet tables without a table format. It has no transaction around a table and what
    is remembered of it: a model's row of state goes before its table is touched and comes when all is written, so that
    what a killed build left is built whole by the next. Its tables of state have a partition for each model, which is
    replaced whole; its views hide the one row by which such a partition is never empty. -#}

{% macro spark__hash_of_set(column) -%}
    md5(nullif(array_join(sort_array(collect_list({{ column }})), ','), ''))
{%- endmacro %}

{% macro spark__row_hash(table_alias) -%} {#- JSON tells null from 'null'; decimal: sums of it don't overflow -#}
    cast(xxhash64(to_json(struct({{ table_alias }}.*), map('ignoreNullFields', 'false'))) as decimal(38, 0))
{%- endmacro %}

{% macro spark__content_hash(relation) -%} {#- whatever its size: a query of its own to ask for that costs more -#}
    (select count(*) || ':' || coalesce(sum({{ row_hash('content') }}), 0) from {{ relation }} as content)
{%- endmacro %}

{% macro spark__definition_of(view) -%}
    {%- set found = namespace(text='') -%}
    {%- for row in run_query("describe extended " ~ view.relation).rows if row[0] == 'View Text' -%}
        {%- set found.text = row[1] -%}
    {%- endfor -%}
    '{{ local_md5(found.text) }}'
{%- endmacro %}

{% macro spark__prepare_state() -%}
    {%- set schema = state_schema() -%}
    {%- if execute and flags.WHICH in building_commands() -%}{%- do need_dynamic_overwrite() -%}{%- endif -%}
    {%- if execute and flags.WHICH in building_commands() and not has_state() -%}
        {%- do run_query("drop schema if exists " ~ schema ~ " cascade") -%}
        {%- do run_query("create schema " ~ schema) -%}
        {%- for table, (columns, _) in state_tables().items() if columns.startswith('model_name') -%}
            {%- set typed = columns | replace(' text', ' string') -%}
            {%- do run_query(
                "create table " ~ schema ~ "." ~ table ~ "__kept (" ~ typed
                ~ ", is_row boolean) using parquet partitioned by (model_name)"
            ) -%}
            {%- do run_query(
                "create view " ~ schema ~ "." ~ table ~ " as select " ~ names_of(columns) ~ " from " ~ schema ~ "."
                ~ table ~ "__kept where is_row"
            ) -%}
        {%- endfor -%}
        {#- not as its comment: in Hive's metastore that can't be changed, and Spark only logs it -#}
        {%- do run_query("alter schema " ~ schema ~ " set dbproperties ('version' = '" ~ state_version() ~ "')") -%}
    {%- endif -%}
{%- endmacro %}

{% macro need_dynamic_overwrite() -%}
    {#- Stop before a partition is written in the place of all of them. -#}
    {%- set setting = 'spark.sql.sources.partitionOverwriteMode' -%}
    {%- set mode = run_query("set " ~ setting).rows[0][1] -%}
    {%- if mode | lower != 'dynamic' -%}
        {{ exceptions.raise_compiler_error(
            setting ~ " is " ~ mode ~ " and must be dynamic: take server_side_parameters from profiles.yml.example"
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__has_state() -%}
    {%- if not run_query("show schemas like '" ~ state_schema() ~ "'").rows -%}{{ return(false) }}{%- endif -%}
    {%- for row in run_query("describe schema extended " ~ state_schema()).rows if row[0] == 'Properties' -%}
        {{ return('(version,' ~ state_version() ~ ')' in row[1]) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{% macro names_of(columns) -%}
    {#- The names in a list of columns with types. -#}
    {%- set names = [] -%}
    {%- for column in columns.split(', ') -%}{%- do names.append(column.split(' ')[0]) -%}{%- endfor -%}
    {{ return(names | join(', ')) }}
{%- endmacro %}

{% macro spark__change_state(table, gone, new) -%} {#- a partition's own column comes last -#}
    {%- set names = names_of(state_tables()[table][0]) -%}
    {%- set others = names.split(', ')[1:] | join(', ') -%}
    {%- set types = [] -%}
    {%- for column in state_tables()[table][0].split(', ')[1:] -%}
        {%- set name, type = column.split(' ') -%}
        {%- do types.append('cast(null as ' ~ engine_type(type) ~ ') as ' ~ name) -%}
    {%- endfor -%}
    {%- set query -%}
        insert overwrite table {{ state_schema() }}.{{ table }}__kept
        {% if new -%}
        with new_rows ({{ names }}) as (
            {{ new }}
        )
        {%- endif %}
        select /*+ coalesce(1) */ {{ others }}, is_row, '{{ model.name }}' as model_name
        from (
            select {{ types | join(', ') }}, false as is_row
            {%- if new %}
            union all
            select {{ others }}, true from new_rows
            {%- endif %}
            union all
            select {{ others }}, true from {{ state_table(table) }}
            where model_name = '{{ model.name }}' and not ({{ gone or 'false' }})
        ) as all_rows
    {%- endset -%}
    {%- do run_query(query) -%}
{%- endmacro %}

{% macro spark__forget_state(tables) -%}
    {#- First of all, that it is built; what it knows of dimensions is replaced when it is. -#}
    {%- for table in ['models'] + tables | reject('in', ['dimensions', 'members']) | list -%}
        {%- do run_query(
            "alter table " ~ state_schema() ~ "." ~ table ~ "__kept drop if exists partition (model_name = '"
            ~ model.name ~ "')"
        ) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro spark__remember_seen(seen, docs_hash) -%}
    {%- do change_state('models', 'true',
        "select model_name, inputs_hash, views_hash, code_hash, file_ids, content_id, '" ~ docs_hash ~ "', '" ~ seen
        ~ "' from " ~ state_table('models') ~ " where model_name = '" ~ model.name ~ "'"
    ) -%}
{%- endmacro %}

{% macro spark__remember_members(dimension) -%}
    {%- set ours = "dimension_name = '" ~ dimension.name ~ "'" -%}
    {%- set name = "'" ~ model.name ~ "', '" ~ dimension.name ~ "', " -%}
    {%- do change_state('members', ours, "select " ~ name ~ "member_key, valid_from, valid_to, attribute_hash from ("
        ~ members_of(dimension) ~ ") as members") -%}
    {%- do change_state('dimensions', ours, "select " ~ name ~ state_of(dimension)) -%}
{%- endmacro %}

{% macro spark__members_are_lost(dimension) -%} {#- by a build that was killed while it wrote them -#}
    {{ return(run_query(
        "select 1 from " ~ state_table('members') ~ " where model_name = '" ~ model.name ~ "' and dimension_name = '"
        ~ dimension.name ~ "' limit 1"
    ).rows | length == 0) }}
{%- endmacro %}

{% macro spark__remember_files(file_input, files, with_rows) -%}
    {%- set day, those = config.get('partition_by').field, 'in (' ~ files | join(', ') ~ ')' -%}
    {%- set rows = "cast(sum(" ~ row_hash('shown') ~ ") as string)" if with_rows else "cast(null as string)" -%}
    {%- do change_state('files', 'file_id ' ~ those, "select '" ~ model.name ~ "', _file_id, " ~ day ~ ", " ~ rows
        ~ " from " ~ file_input.relation ~ " as shown where _file_id " ~ those ~ " and " ~ day
        ~ " is not null group by _file_id, " ~ day) -%}
{%- endmacro %}

{% macro spark__begin_alone() -%} {#- nothing keeps two builds apart: see docs/scale-out.md -#}
    {{ return(false) }}
{%- endmacro %}

{% macro spark__named_session() -%}
    'dbt'
{%- endmacro %}

{% macro spark__wait_for_turn(schema) %}{% endmacro %}

{% macro spark__take_turn(schema) %}{% endmacro %}

{% macro spark__end_turn() %}{% endmacro %}

{% macro spark__remember_passed_tests(results) %}{% endmacro %}

{% macro spark__publish_what_passed(results) -%}
    {%- if execute and flags.WHICH in building_commands() -%}
        {%- do log("On Spark readers see each table as soon as it is written: publishing, roles and forgetting are "
            ~ "PostgreSQL's alone", info=true) -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark__shows_rows_one_by_one(relation) -%} {#- by what the view's text says of joins, windows and the like -#}
    {%- for row in run_query("describe extended " ~ relation).rows if row[0] == 'View Text' -%}
        {{ return(is_plain(row[1])) }}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{% macro is_plain(sql) -%}
    {#- Whether a select has nothing but expressions, and CTEs that are such selects. -#}
    {{ return(not modules.re.search(
        '\\b(join|over|group by|distinct|having|limit|exists|intersect|except|lateral|min|max|sum|count)\\b'
        ~ '|(?<!\\bas)(?<!\\bas ) ?\\( ?(select|with)\\b|\\bunion (?!all\\b)', sql.lower().split() | join(' ')
    )) }}
{%- endmacro %}

{% macro spark__put_aside(name, query) -%} {#- computed when it is read: what it reads isn't written before -#}
    {%- do run_query("create or replace temporary view " ~ name ~ " as " ~ query) -%}
{%- endmacro %}

{% macro spark__kind_of(relation) -%}
    {%- set schema, name = (relation | string | replace('`', '')).split('.') -%}
    {%- set there = adapter.get_relation(none, schema, name) -%}
    {{ return("'" ~ there.type ~ "'" if there else 'cast(null as string)') }}
{%- endmacro %}

{% macro spark__are_there(relations) -%} {#- dbt listed them -#}
    {%- set there = [] -%}
    {%- for relation in relations -%}{%- do there.append(kind_of(relation).startswith("'")) -%}{%- endfor -%}
    {{ return(there) }}
{%- endmacro %}

{% macro spark__write_whole(target, work, sql) -%}
    {%- if not config.get('partition_by') -%}{%- do forget_state([]) -%}{%- endif -%} {#- else find_work did -#}
    {%- set stays = work.is_same_code and work.kind == 'table' and not spark_partition() -%} {#- only its rows go -#}
    {%- if flags.FULL_REFRESH or not stays -%} {#- which also mends a table that somebody altered -#}
        {%- do make_table(target, work.kind) -%}
    {%- endif -%}
    {%- call statement('main') -%}{{ overwrite(target, sql) }}{%- endcall -%}
    {%- do work.update({'rows_count': check_constraints(target)}) -%}
    {{ return(false) }} {#- it has its descriptions -#}
{%- endmacro %}

{% macro spark__has_few_rows(work, target) -%}
    {{ return(work.rows_count <= 300000) }}
{%- endmacro %}

{% macro make_table(target, kind) -%}
    {#- An empty table in the place of what stands there. -#}
    {%- set begun = "partition (model_name = '" ~ model.name ~ "__begun')" -%}
    {%- set kept = state_schema() ~ ".models__kept" -%}
    {%- if kind -%}
        {%- do run_query("alter table " ~ kept ~ " add if not exists " ~ begun) -%}
        {%- do run_query("drop " ~ kind ~ " if exists " ~ target) -%}
    {%- elif run_query("show partitions " ~ kept ~ " " ~ begun).rows -%}
        {%- do clear_folder(target) -%}
    {%- endif -%}
    {%- set field = spark_partition() -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ engine_type(column.data_type)
            ~ spark_comment(column.description)) -%}
    {%- endfor -%}
    {%- do run_query(
        "create table " ~ target ~ " (" ~ columns | join(', ') ~ ") using parquet"
        ~ (" partitioned by (" ~ field ~ ")" if field else "")
        ~ " comment '" ~ spark_text(model.description) ~ "'"
    ) -%}
{%- endmacro %}

{% macro clear_folder(target) -%}
    {#- Take away the folder of a table that is gone: a metastore that is killed while it drops a table leaves it, and
        Spark makes no table where one is (LOCATION_ALREADY_EXISTS). SQL deletes no folder, so its files are moved into
        a table that is dropped; it is made before, for nobody can ask whether it is there. -#}
    {%- set names = [target ~ '__folder', target ~ '__files'] -%}
    {%- for row in run_query("describe schema " ~ target.schema).rows if row[0] == 'Location' -%}
        {%- set folder = "'" ~ spark_text(row[1] ~ '/' ~ target.identifier | lower) ~ "'" -%}
        {%- for statement in [
            'drop table if exists ' ~ names[0],
            'drop table if exists ' ~ names[1],
            'create table ' ~ names[0] ~ ' (line string) stored as textfile location ' ~ folder,
            'drop table ' ~ names[0],
            'create table ' ~ names[1] ~ ' (line string) stored as textfile',
            'load data inpath ' ~ folder ~ ' overwrite into table ' ~ names[1],
            'drop table ' ~ names[1],
        ] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{% macro spark__write_partitions(target, partitions, sql) -%}
    {%- do forget_state([]) -%}
    {%- set field, rows = config.get('partition_by').field, [sql] -%}
    {%- set touched = field ~ ' in (' ~ as_dates(partitions) ~ ')' -%}
    {%- if spark_partition() -%}
        {%- set gone = [] -%}
        {%- for start in partitions -%}
            {%- do gone.append("partition (" ~ field ~ " = '" ~ start ~ "')") -%}
        {%- endfor -%}
        {%- do run_query("alter table " ~ target ~ " drop if exists " ~ gone | join(', ')) -%}
    {%- else -%} {#- a table of dates: few, and no table is overwritten by what is read from it -#}
        {%- set kept = run_query(
            "select " ~ field ~ " from " ~ target ~ " where not " ~ touched
        ).columns[0].values() -%}
        {%- set rows = ["select * from (" ~ sql ~ ") as rebuilt where " ~ touched] -%}
        {%- for start in kept -%}{%- do rows.append("select " ~ as_dates([start]) ~ " as " ~ field) -%}{%- endfor -%}
        {%- set touched = 'true' -%}
    {%- endif -%}
    {%- call statement('main') -%}{{ overwrite(target, rows | join(' union all '), touched) }}{%- endcall -%}
    {%- do check_constraints(target, partitions) -%}
{%- endmacro %}

{% macro check_constraints(target, partitions=none) -%}
    {#- Spark enforces no constraint: one query counts the rows that break them, and the model fails. It looks at the
        partitions that were written, if each key holds their date; else at all rows. Returns how many these are. -#}
    {%- set keys, partition_by = unique_keys(), config.get('partition_by') -%}
    {%- set key_columns = keys | sum(start=[]) -%}
    {%- set counts, faults, scope = ["count(*)"], [], namespace(is_all=partitions is none) -%}
    {%- for column in model.columns.values()
        if column.name in key_columns or 'not_null' in column.constraints | map(attribute='type') -%}
        {%- do counts.append("count_if(" ~ adapter.quote(column.name) ~ " is null)") -%}
        {%- do faults.append(column.name ~ " is null") -%}
    {%- endfor -%}
    {%- set all_constraints = model.columns.values() | map(attribute='constraints') | sum(start=model.constraints) -%}
    {%- for constraint in all_constraints if constraint.type == 'check' -%} {#- which null fulfils -#}
        {%- do counts.append("count_if(not (" ~ constraint.expression ~ "))") -%}
        {%- do faults.append(constraint.expression ~ " isn't so") -%}
    {%- endfor -%}
    {%- for key in keys if partitions and partition_by.field not in key -%}
        {%- set scope.is_all = true -%}
    {%- endfor -%}
    {%- set rows = target ~ (
        "" if scope.is_all else " where " ~ partition_by.field ~ " in (" ~ as_dates(partitions) ~ ")"
    ) -%}
    {%- for key in keys -%}{%- do counts.append(key_hashes(key, rows)) -%}{%- endfor -%}
    {%- set found = run_query("select " ~ counts | join(', ') ~ " from " ~ rows).rows[0] -%}
    {%- set broken = [] -%}
    {%- for fault in faults -%}
        {%- set count = found[loop.index] -%}
        {%- if count -%}{%- do broken.append(fault ~ " (rows: " ~ count ~ ")") -%}{%- endif -%}
    {%- endfor -%}
    {%- for key in keys -%}
        {%- if found[faults | length + loop.index] < found[0] -%} {#- a key, or a hash, comes twice -#}
            {%- set count = run_query(
                "select count(*) - count(distinct struct(" ~ quoted_names(key) ~ ")) from " ~ rows
            ).rows[0][0] -%}
            {%- if count -%}
                {%- do broken.append(key | join(', ') ~ " isn't unique (rows: " ~ count ~ ")") -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if broken -%}
        {{ exceptions.raise_compiler_error(model.name ~ " breaks its contract: " ~ broken | join('; ')) }}
    {%- endif -%}
    {{ return(found[0]) }}
{%- endmacro %}

{% macro key_hashes(key, rows) -%}
    {#- How many hashes a key has. Where that is as many as rows, the key is unique. They are brought together before
        they are counted: Spark else looks for the same ones twice, and takes three times as long. -#}
    {{ return("(select count(distinct key_hash) from (select xxhash64(" ~ quoted_names(key) ~ ") as key_hash from "
        ~ rows ~ " distribute by key_hash) as hashed)") }}
{%- endmacro %}

{% macro quoted_names(names) -%}
    {%- set quoted = [] -%}
    {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
    {{ return(quoted | join(', ')) }}
{%- endmacro %}

{% macro overwrite(target, sql, condition='true') -%}
    {#- Rows into a table, each of its contract's type; each partition one file. -#}
    {%- set field = spark_partition() -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() if column.name != field -%}
        {%- do columns.append(
            "cast(" ~ adapter.quote(column.name) ~ " as " ~ engine_type(column.data_type) ~ ") as "
            ~ adapter.quote(column.name)
        ) -%}
    {%- endfor -%}
    {%- if field -%}{%- do columns.append("cast(" ~ field ~ " as date) as " ~ field) -%}{%- endif -%}
    insert overwrite table {{ target }}
    select {{ columns | join(', ') }}
    from (
        {{ sql }}
    ) as contracted
    where {{ condition }}
    {%- if field %}
    distribute by {{ field }}
    {%- endif %}
{%- endmacro %}

{% macro spark_partition() -%}
    {#- The column by which the table lies in partitions, or none: Spark wants a column beside it. -#}
    {%- set partition_by = config.get('partition_by') -%}
    {{ return(partition_by.field if partition_by and model.columns | length > 1 else none) }}
{%- endmacro %}
