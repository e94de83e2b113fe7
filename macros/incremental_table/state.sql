{#- What each incremental table was last built from: one schema of small tables, written in the table's own transaction,
    so that a killed build leaves both as they were. -#}

{% macro state_table(name) -%}
    {{ generate_schema_name('build_state', none) }}.{{ name }}
{%- endmacro %}

{% macro state_tables() -%}
    {#- Their columns, and the columns that tell rows apart. -#}
    {{ return({
        'models': ('model_name text, inputs_hash text, views_hash text, content_id text, docs_hash text', 'model_name'),
        'partitions': (
            'model_name text, partition_start date, inputs_hash text, build_id bigint', 'model_name, partition_start'
        ),
        'files': ('model_name text, file_id integer, partition_start date', 'model_name, file_id, partition_start'),
        'dimensions': ('model_name text, dimension_name text, content_id text', 'model_name, dimension_name'),
        'members': (
            'model_name text, dimension_name text, member_key bigint, valid_from date, valid_to date, '
            ~ 'attribute_hash bigint', 'model_name, dimension_name, member_key'
        ),
        'tests': ('test_name text, inputs_hash text, has_passed boolean', 'test_name'),
    }) }}
{%- endmacro %}

{% macro remember(work, target) -%}
    {#- That the model is built from what find_work saw. -#}
    {%- set ours = "model_name = '" ~ model.name ~ "'" -%}
    {%- if work.partitions -%}
        {%- do run_query("delete from " ~ state_table('partitions') ~ " where " ~ ours ~ " and partition_start in ("
            ~ as_dates(work.partitions.keys()) ~ ")") -%}
        {%- set rows = [] -%}
        {%- for start, hash in work.partitions.items() if hash -%}
            {%- do rows.append(
                "('" ~ model.name ~ "', cast('" ~ start ~ "' as date), '" ~ hash ~ "', " ~ build_id() ~ ")"
            ) -%}
        {%- endfor -%}
        {%- if rows -%}
            {%- do run_query("insert into " ~ state_table('partitions') ~ " values " ~ rows | join(', ')) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if config.get('partition_by') -%}
        {%- for dimension in work.inputs.members -%}{%- do remember_members(dimension) -%}{%- endfor -%}
    {%- endif -%}
    {%- if work.is_whole or work.partitions -%}
        {%- do replace_state('models', ours, {
            'model_name': "'" ~ model.name ~ "'", 'inputs_hash': "'" ~ work.inputs_hash ~ "'",
            'views_hash': "'" ~ work.views_hash ~ "'", 'docs_hash': "'" ~ work.remembered_docs_hash ~ "'",
            'content_id': "'" ~ build_id() ~ "'" if config.get('partition_by') else content_hash(target),
        }) -%}
    {%- endif -%}
{%- endmacro %}

{% macro docs_hash() -%}
    {#- Of the descriptions that go into the database, and whether they do. -#}
    {%- set docs = [config.get('persist_docs'), model.description] -%}
    {%- for column in model.columns.values() -%}
        {%- do docs.append(column.name ~ ' ' ~ column.description) -%}
    {%- endfor -%}
    {{ return('hash ' ~ local_md5(docs | join('|'))) }}
{%- endmacro %}

{% macro remember_docs(work) -%}
    {%- do run_query("update " ~ state_table('models') ~ " set docs_hash = '" ~ work.docs_hash
        ~ "' where model_name = '" ~ model.name ~ "'") -%}
{%- endmacro %}

{% macro forget_partitions(is_same_views) -%}
    {#- Before everything is written anew; the dates of files stay while the views tell the same. -#}
    {%- for table in ['partitions', 'dimensions', 'members'] + ([] if is_same_views else ['files']) -%}
        {%- do run_query("delete from " ~ state_table(table) ~ " where model_name = '" ~ model.name ~ "'") -%}
    {%- endfor -%}
{%- endmacro %}

{% macro replace_state(table, condition, values) -%}
    {#- One row of state in place of another; the values are expressions. -#}
    {%- set names, new = [], [] -%}
    {%- for name, value in values.items() -%}
        {%- do names.append(name) -%}{%- do new.append(value) -%}
    {%- endfor -%}
    {%- do run_query("delete from " ~ state_table(table) ~ " where " ~ condition) -%}
    {%- do run_query(
        "insert into " ~ state_table(table) ~ " (" ~ names | join(', ') ~ ") select " ~ new | join(', ')
    ) -%}
{%- endmacro %}

{% macro build_id() -%}
    {#- A number of this run of dbt, larger than those before. -#}
    {{ return((run_started_at.timestamp() * 1000000) | int) }}
{%- endmacro %}
