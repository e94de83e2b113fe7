{#- The project's own materialization: a table that is rebuilt as far as its inputs changed. How it works stands in
    models/warehouse/README.md, why in docs/decisions.md. The engine's own parts are the dispatched macros, all in
    engine.sql. -#}

{% materialization incremental_table, default %}
    {%- set target = built_relation(model) -%}
    {%- set inputs = model_inputs(model) -%}
    {%- if not load_cached_relation(target) -%}{%- do need_inputs(inputs) -%}{%- endif -%}
    {%- set now = what_makes_model(inputs) -%} {#- before anything is read: it may be older than the rows, not newer -#}
    {%- if not pre_hooks + post_hooks and is_as_built(target, now) -%} {#- one query, and no transaction -#}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
        {{ return({'relations': [target]}) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- set has_waited = begin_alone() -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if inputs.files or has_waited -%}{%- set now = what_makes_model(inputs) -%}{%- endif -%} {#- as it sees it -#}
    {%- set work = find_work(target, inputs, now) -%}
    {%- set is_new = false -%}
    {%- if work.is_whole -%}
        {%- set is_new = write_whole(target, work, sql) -%}
    {%- elif work.partitions -%}
        {%- do write_partitions(target, work.partitions.keys() | list, narrowed(sql, work)) -%}
    {%- else -%}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {%- endif -%}
    {%- do remember(work, target) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- if not is_published(model) -%} {#- a mart's grants are on what readers see -#}
        {%- do apply_grants(target, config.get('grants'), should_revoke(load_cached_relation(this), work.is_whole)) -%}
    {%- endif -%}
    {%- if is_new or work.docs_hash != work.remembered_docs_hash -%}{%- do persist_docs(target, model) -%}{%- endif -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro is_as_built(target, now) -%}
    {#- Whether the table is there, and nothing that makes it differs from when it was built. -#}
    {%- if config.get('full_refresh') is not none or flags.FULL_REFRESH or config.get('grants')
        or not load_cached_relation(target) -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(now.is_same and now.remembered['kind'] == target.type and now.remembered['docs_hash'] == docs_hash()) }}
{%- endmacro %}

{% macro what_makes_model(inputs) -%}
    {{ return(what_makes_it(
        inputs, 'models', "model_name = '" ~ model.name ~ "'", inputs.files if config.get('partition_by') else []
    )) }}
{%- endmacro %}

{% macro find_work(target, inputs, now) -%}
    {#- What is to be written: everything, some partitions, or nothing.

        Takes the model's inputs, see model_inputs, and what makes it now, see what_makes_it. Returns a dict: `inputs`;
        `inputs_hash`, `views_hash`, `code_hash`, `file_ids`, `seen` and
        `kind`, see what_makes_it; `is_whole`;
        `partitions`, by start date the hash of what makes its rows, none where it has no rows any more;
        `is_same_code`, whether code and descriptions are as when it was built. -#}
    {%- set remembered = now.remembered -%}
    {%- set is_whole = config.get('full_refresh') -%}
    {%- if is_whole is none -%}
        {%- set is_whole = flags.FULL_REFRESH or not now.is_known or now.inputs_hash != remembered['inputs_hash'] -%}
    {%- endif -%}
    {%- set is_whole = is_whole or remembered['kind'] != target.type -%}
    {%- if is_whole -%}{%- do forget_partitions(now.views_hash == remembered['views_hash']) -%}{%- endif -%}
    {%- set partitions = touched_partitions(inputs, is_whole) if config.get('partition_by') else {} -%}
    {%- if not is_whole and config.get('full_refresh') is none and is_most(partitions) -%}
        {%- set is_whole = true -%}
        {%- do forget_partitions(true) -%}
        {%- set partitions = touched_partitions(inputs, is_whole) -%}
    {%- endif -%}
    {{ return({
        'inputs': inputs, 'inputs_hash': now.inputs_hash if now.is_known else 'unknown',
        'views_hash': now.views_hash, 'seen': now.seen,
        'code_hash': now.code_hash, 'file_ids': now.file_ids, 'kind': remembered['kind'], 'is_whole': is_whole,
        'partitions': partitions, 'docs_hash': docs_hash(), 'remembered_docs_hash': remembered['docs_hash'],
        'is_same_code': now.code_hash == remembered['code_hash'] and docs_hash() == remembered['docs_hash'],
    }) }}
{%- endmacro %}

{% macro narrowed(sql, work) -%}
    {#- The model's select over those rows alone that the touched partitions need: each input that has partitions takes
        the place of its own name, filtered. -#}
    {%- set partition_by = config.get('partition_by') -%}
    {%- set days = days_read(work.inputs, work.partitions.keys()) -%}
    {%- set narrow = namespace(sql=sql) -%}
    {#- one view may show several raw tables -#}
    {%- for relation in work.inputs.files | map(attribute='relation') | unique -%}
        {%- set files = [] -%}
        {%- for file_input in work.inputs.files if file_input.relation == relation -%}
            {%- do files.extend(touched_files(file_input, work.partitions.keys())) -%}
        {%- endfor -%}
        {#- put aside, for nobody can guess how many rows of a file have a date that a view computes -#}
        {%- set rows = 'touched_rows_' ~ loop.index -%}
        {%- do put_aside(
            rows, "select * from " ~ relation ~ " where _file_id in (" ~ (files | join(', ') or 'null') ~ ") and "
            ~ partition_by.field ~ " in (" ~ as_dates(work.partitions.keys()) ~ ")"
        ) -%}
        {%- set narrow.sql = in_place_of(relation, rows, narrow.sql) -%}
    {%- endfor -%}
    {%- for table in work.inputs.partitioned -%}
        {%- set starts = partitions_of(days, table.partition_by.granularity) -%}
        {%- set field = table.partition_by.field -%}
        {%- set rows -%}
            (
                select * from {{ table.relation }}
                where
                    {%- if table.before is none %} {{ is_among(field, starts, table.partition_by.granularity) }}
                    {%- else %} {{ field }} <= {{ as_dates([starts | max]) }}
                    {%- if table.before != 'all' %}
                    and {{ field }}
                    >= {{ dbt.dateadd(partition_by.granularity, 0 - table.before, as_dates([starts | min])) }}
                    {%- endif -%}
                    {%- endif %}
            )
        {%- endset -%}
        {%- set narrow.sql = in_place_of(table.relation, rows, narrow.sql) -%}
    {%- endfor -%}
    {%- for table in work.inputs.spans -%}
        {%- set rows -%}
            (
                select * from {{ table.relation }}
                where {{ partition_by.field }} in ({{ as_dates(work.partitions.keys()) }})
            )
        {%- endset -%}
        {%- set narrow.sql = in_place_of(table.relation, rows, narrow.sql) -%}
    {%- endfor -%}
    {{ return(narrow.sql) }}
{%- endmacro %}

{% macro in_place_of(relation, rows, sql) -%}
    {#- SQL that reads other rows in the place of a relation, and not of one whose name begins with its name. -#}
    {{ return(modules.re.split(named_exactly(relation), sql) | join(rows)) }}
{%- endmacro %}

{% macro named_exactly(relation) -%}
    {#- A pattern that finds a relation: not every engine's names are quoted. -#}
    {{ return('(?<![\\w.])' ~ modules.re.escape(relation) ~ '(?!\\w)') }}
{%- endmacro %}
