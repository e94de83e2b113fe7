{#- What each incremental table was last built from: one schema of small tables, written in the table's own transaction,
    so that a killed build leaves both as they were. -#}

{% macro state_table(name) -%}
    {{ state_schema() }}.{{ name }}
{%- endmacro %}

{% macro state_schema() -%}
    {{ return(generate_schema_name('build_state', none) | trim) }}
{%- endmacro %}

{% macro state_version() -%}
    {{ return(6) }}
{%- endmacro %}

{% macro has_state() -%}
    {#- Whether there is a state, of this version. -#}
    {{ return(adapter.dispatch('has_state')()) }}
{%- endmacro %}

{% macro postgres__has_state() -%}
    {{ return(run_query(
        "select 1 from pg_namespace where nspname = '" ~ state_schema() ~ "' "
        ~ "and obj_description(oid, 'pg_namespace') = 'version " ~ state_version() ~ "'"
    ).rows | length > 0) }}
{%- endmacro %}

{% macro state_tables() -%}
    {#- Their columns, and the columns that tell rows apart. -#}
    {{ return({
        'models': (
            'model_name text, inputs_hash text, views_hash text, code_hash text, file_ids text, content_id text, '
            ~ 'docs_hash text, seen text', 'model_name'
        ),
        'partitions': (
            'model_name text, partition_start date, inputs_hash text, content_id text', 'model_name, partition_start'
        ),
        'files': (
            'model_name text, file_id integer, partition_start date, rows_hash text',
            'model_name, file_id, partition_start'
        ),
        'dimensions': ('model_name text, dimension_name text, content_id text', 'model_name, dimension_name'),
        'members': (
            'model_name text, dimension_name text, member_key bigint, valid_from date, valid_to date, '
            ~ 'attribute_hash bigint', 'model_name, dimension_name, member_key'
        ),
        'tests': (
            'test_name text, inputs_hash text, has_passed boolean, may_publish boolean, seen text, run_id text',
            'test_name'
        ),
        'tested_pieces': (
            'test_name text, piece text, content_id text, has_passed boolean', 'test_name, piece, content_id'
        ),
    }) }}
{%- endmacro %}

{% macro remember(work, target) -%}
    {#- That the model is built from what find_work saw; of a part of it, the next build is due. -#}
    {%- set ours = "model_name = '" ~ model.name ~ "'" -%}
    {%- set seen = 'a part' if shows_a_part() else work.seen -%}
    {%- if config.get('partition_by') -%}
        {%- if work.is_whole or work.partitions -%}{%- do remember_partitions(work, target) -%}{%- endif -%}
        {%- for dimension in work.inputs.members if work.is_whole or not dimension.is_as_seen -%}
            {%- do remember_members(dimension) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if work.is_whole or work.partitions -%}
        {%- do replace_state('models', ours, {
            'model_name': "'" ~ model.name ~ "'", 'inputs_hash': "'" ~ work.inputs_hash ~ "'",
            'views_hash': "'" ~ work.views_hash ~ "'", 'code_hash': "'" ~ work.code_hash ~ "'",
            'file_ids': "'" ~ work.file_ids ~ "'" if work.file_ids else 'null',
            'content_id': contents_hash() if config.get('partition_by') else content_hash(target),
            'docs_hash': "'" ~ work.docs_hash ~ "'", 'seen': "'" ~ seen ~ "'",
        }) -%}
    {%- else -%}
        {%- do remember_seen(seen, work.docs_hash) -%}
    {%- endif -%}
{%- endmacro %}

{% macro shows_a_part() -%}
    {#- Whether models read few rows or none of what there is: under `--empty` and `--sample`. -#}
    {{ return(true if invocation_args_dict.get('empty') or invocation_args_dict.get('sample') else false) }}
{%- endmacro %}

{% macro remember_seen(seen, docs_hash) -%}
    {#- That nothing had to be written. -#}
    {{ return(adapter.dispatch('remember_seen')(seen, docs_hash)) }}
{%- endmacro %}

{% macro postgres__remember_seen(seen, docs_hash) -%}
    {%- do run_query("update " ~ state_table('models') ~ " set seen = '" ~ seen ~ "', docs_hash = '"
        ~ docs_hash ~ "' where model_name = '" ~ model.name ~ "'") -%}
{%- endmacro %}

{% macro remember_partitions(work, target) -%}
    {#- What the partitions are built from, and what is in them: one that comes out the same touches nothing. -#}
    {%- set field = config.get('partition_by').field -%}
    {%- set content_id = "'" ~ build_id() ~ "'" -%}
    {%- set contents -%}
        select
            {{ field }} as partition_start,
            {% if not tells_contents(work, target) -%} {{ content_id }}
            {%- else -%} count(*) || ':' || sum({{ row_hash('content') }})
            {%- endif %} as content_id
        from {{ target }} as content
        {% if not work.is_whole %}where {{ field }} in ({{ as_dates(work.partitions.keys()) }}){% endif %}
        group by {{ field }}
    {%- endset -%}
    {%- set rows = [] -%}
    {%- for start, hash in work.partitions.items() if hash -%}
        {%- do rows.append("(cast('" ~ start ~ "' as date), '" ~ hash ~ "')") -%}
    {%- endfor -%}
    {%- set gone = none if work.is_whole or not work.partitions else
        "model_name = '" ~ model.name ~ "' and partition_start in (" ~ as_dates(work.partitions.keys()) ~ ")" -%}
    {%- if rows -%}
        {%- do change_state('partitions', gone, "select '" ~ model.name
            ~ "', present.partition_start, present.inputs_hash, coalesce(contents.content_id, 'no rows')"
            ~ " from (values " ~ rows | join(', ') ~ ") as present (partition_start, inputs_hash) left join ("
            ~ contents ~ ") as contents on present.partition_start = contents.partition_start") -%}
    {%- elif not work.inputs.files + work.inputs.partitioned + work.inputs.spans -%} {#- the rows tell them -#}
        {%- do change_state('partitions', gone, "select '" ~ model.name
            ~ "', partition_start, '', content_id from (" ~ contents ~ ") as contents") -%}
    {%- elif gone -%}
        {%- do change_state('partitions', gone, none) -%}
    {%- endif -%}
{%- endmacro %}

{% macro tells_contents(work, target) -%}
    {#- Whether partitions are told apart by their rows, and not by the build that wrote them. Not where a key of a
        versioned dimension is in them, for a version that is rewritten may leave the key alone, and who reads its
        attributes by the key must see it; nor where no model reads them, or all of many rows would have to be read. -#}
    {%- if not is_read() -%}{{ return(false) }}{%- endif -%}
    {%- for node in graph.nodes.values() if node.name.startswith('dim_') and 'valid_from' in node.columns -%}
        {%- if node.name | replace('dim_', '', 1) ~ '_key' in model.columns -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(not work.is_whole or has_few_rows(work, target)) }}
{%- endmacro %}

{% macro is_read() -%}
    {#- Whether another model or a snapshot reads the model. -#}
    {%- for node in graph.nodes.values()
        if node.resource_type in ('model', 'snapshot') and model.unique_id in node.depends_on.nodes -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{% macro what_is_known(inputs, seen) -%}
    {#- A select of one row: what is remembered now of tables that a model or a test reads, none of which is written
        meanwhile. By each input's name what is in it; whether all `inputs` are remembered, as `is_known`; and a hash of
        what is in those of `seen`. One scan: on some engines a query for each costs as much as the model. -#}
    select
    {%- for name in inputs %}
        max(case when model_name = '{{ name }}' then content_id end) as {{ name }},
    {%- endfor %}
        count(case when model_name in ('{{ inputs | join("', '") }}') then 1 end) = {{ inputs | length }} as is_known,
        coalesce({{ hash_of_set(
            "case when model_name in ('" ~ seen | join("', '") ~ "') then model_name || ':' || content_id end"
        ) }}, 'nothing') as seen
    from {{ state_table('models') }}
    where model_name in ('{{ (inputs + seen) | unique | join("', '") }}')
{%- endmacro %}

{% macro tables_read(node) -%}
    {#- The names of incremental tables that a node reads, by itself or by a view. -#}
    {%- set names = [] -%}
    {%- for parent in node.depends_on.nodes if parent in graph.nodes -%}
        {%- set read = graph.nodes[parent] -%}
        {%- if read.config.materialized == 'incremental_table' -%}
            {%- do names.append(read.name) -%}
        {%- elif read.config.materialized == 'view' -%}
            {%- do names.extend(tables_read(read)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(names | unique | list) }}
{%- endmacro %}

{% macro contents_hash() -%}
    {#- An expression: what is in all partitions. -#}
    (
        select coalesce({{ hash_of_set("partition_start || ':' || content_id") }}, 'no rows')
        from {{ state_table('partitions') }}
        where model_name = '{{ model.name }}' and content_id <> 'no rows'
    )
{%- endmacro %}

{% macro docs_hash() -%}
    {#- Of the descriptions that go into the database, and whether they do. -#}
    {%- set docs = [config.get('persist_docs'), model.description] -%}
    {%- for column in model.columns.values() -%}
        {%- do docs.append(column.name ~ ' ' ~ column.description) -%}
    {%- endfor -%}
    {{ return('hash ' ~ local_md5(docs | join('|'))) }}
{%- endmacro %}

{% macro forget_partitions(is_same_views) -%}
    {#- Before everything is written anew; the dates of files stay while the views tell the same. -#}
    {%- if not config.get('partition_by') -%}{{ return(none) }}{%- endif -%}
    {%- do forget_state(['partitions', 'dimensions', 'members'] + ([] if is_same_views else ['files'])) -%}
{%- endmacro %}

{% macro replace_state(table, condition, values) -%}
    {#- One row of state in place of another; the values are expressions, in the order of the table's columns. -#}
    {%- do change_state(table, condition, 'select ' ~ values.values() | join(', ')) -%}
{%- endmacro %}

{% macro build_id() -%}
    {#- A number of this run of dbt, larger than those before. -#}
    {{ return((run_started_at.timestamp() * 1000000) | int) }}
{%- endmacro %}
