{#- The project's own materialization: a table that is rebuilt as far as its inputs changed. How it works stands in
    models/warehouse/README.md, why in docs/decisions.md. The engine's own parts are the dispatched macros, all in
    engine.sql. -#}

{% materialization incremental_table, default %}
    {%- set target = built_relation(model) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- call statement('begin', auto_begin=true) -%}{{ one_at_a_time() }}{%- endcall -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set kind = kind_of(target) -%}
    {%- set work = find_work(kind, target) -%}
    {%- if work.is_whole -%}
        {%- do write_whole(target, kind, sql) -%}
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
    {%- if work.is_whole or work.docs_hash != work.remembered_docs_hash -%}
        {%- do persist_docs(target, model) -%}
        {%- if not work.is_whole -%}{%- do remember_docs(work) -%}{%- endif -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro find_work(kind, target) -%}
    {#- What is to be written: everything, some partitions, or nothing.

        Returns a dict: `inputs`, see model_inputs; `inputs_hash`, of what makes every row; `is_whole`; `partitions`, by
        start date the hash of what makes its rows, none where it has no rows any more. -#}
    {%- set inputs = model_inputs(model) -%}
    {%- if not kind -%}{%- do need_inputs(inputs) -%}{%- endif -%}
    {%- set now = what_makes_it(inputs) -%}
    {%- set is_whole = config.get('full_refresh') -%}
    {%- if is_whole is none -%}
        {%- set is_whole = flags.FULL_REFRESH or not now.is_known or now.inputs_hash != now.remembered_hash -%}
    {%- endif -%}
    {%- set is_whole = is_whole or kind != target.type -%}
    {%- if is_whole -%}{%- do forget_partitions(now.views_hash == now.remembered_views_hash) -%}{%- endif -%}
    {%- set partitions = touched_partitions(inputs, is_whole) if config.get('partition_by') else {} -%}
    {%- if not is_whole and config.get('full_refresh') is none and is_most(partitions) -%}
        {%- set is_whole = true -%}
        {%- do forget_partitions(true) -%}
        {%- set partitions = touched_partitions(inputs, is_whole) -%}
    {%- endif -%}
    {{ return({
        'inputs': inputs, 'inputs_hash': now.inputs_hash, 'views_hash': now.views_hash, 'is_whole': is_whole,
        'partitions': partitions, 'docs_hash': docs_hash(), 'remembered_docs_hash': now.remembered_docs_hash,
        'code_hash': now.code_hash, 'file_ids': now.file_ids,
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
            rows, "select * from " ~ relation ~ " where _file_id = any(array[" ~ files | join(', ') ~ "]::int[]) and "
            ~ partition_by.field ~ " in (" ~ as_dates(work.partitions.keys()) ~ ")"
        ) -%}
        {%- set narrow.sql = narrow.sql | replace(relation, rows) -%}
    {%- endfor -%}
    {%- for table in work.inputs.partitioned -%}
        {%- set starts = partitions_of(days, table.partition_by.granularity) -%}
        {%- set field = table.partition_by.field -%}
        {%- set rows -%}
            (
                select * from {{ table.relation }}
                where
                    {%- if table.before is none %} {{ field }} in ({{ as_dates(starts) }})
                    {%- else %} {{ field }} <= {{ as_dates([starts | max]) }}
                    {%- if table.before != 'all' %}
                    and {{ field }}
                    >= {{ dbt.dateadd(partition_by.granularity, 0 - table.before, as_dates([starts | min])) }}
                    {%- endif -%}
                    {%- endif %}
            )
        {%- endset -%}
        {%- set narrow.sql = narrow.sql | replace(table.relation, rows) -%}
    {%- endfor -%}
    {%- for table in work.inputs.spans -%}
        {%- set rows -%}
            (
                select * from {{ table.relation }}
                where {{ partition_by.field }} in ({{ as_dates(work.partitions.keys()) }})
            )
        {%- endset -%}
        {%- set narrow.sql = narrow.sql | replace(table.relation, rows) -%}
    {%- endfor -%}
    {{ return(narrow.sql) }}
{%- endmacro %}
