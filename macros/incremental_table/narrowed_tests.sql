{#- Data tests that look at the new pieces of one input: the partitions of a table, or the files behind a staging view.
    A piece is due until the test has passed on what is in it. -#}

{% macro narrowing(inputs) -%}
    {#- The input that a data test is narrowed by, or none; it is taken out of what makes the test run on everything.

        A test of a table with partitions that looks at each row alone (not_null, accepted_values) is narrowed by it;
        so is one of relationships, and a change of the parent's keys runs it on everything. A test in a file of its
        own says so: `meta={'narrowed_by': 'fct_sales'}`, or names a staging view whose rows each file brings for
        itself. Of dimensions counts what the test reads of them. -#}
    {%- set kind = model.test_metadata.name if model.test_metadata else none -%}
    {%- set name = config.get('meta', {}).get('narrowed_by') -%}
    {%- set files = inputs.files | selectattr('name', 'equalto', name) | list -%}
    {%- if kind in ('not_null', 'accepted_values', 'relationships') and model.attached_node in graph.nodes -%}
        {%- set name = graph.nodes[model.attached_node].name -%}
    {%- endif -%}
    {%- set tables = inputs.whole | selectattr('name', 'equalto', name) | selectattr('partition_by')
        | selectattr('is_remembered') | list -%}
    {#- a table that is its own parent is looked at on both sides -#}
    {%- if not tables + files or (kind == 'relationships' and model.depends_on.nodes | unique | list | length < 2) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- for parent in model.depends_on.nodes if parent in graph.nodes -%}
        {%- for input in inputs.whole if input.name == graph.nodes[parent].name and input.is_remembered -%}
            {%- if not input.partition_by -%}
                {%- set keys = [model.test_metadata.kwargs.field] if kind == 'relationships' else none -%}
                {%- do input.update({'attributes': keys or graph.nodes[parent].columns | list}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do inputs.update({
        'whole': inputs.whole | rejectattr('name', 'equalto', name) | list,
        'files': inputs.files | rejectattr('name', 'equalto', name) | list,
        'spans': tables,
    }) -%} {#- of spans, what_makes_it asks no more than whether they are known -#}
    {{ return({'relation': (tables + files)[0].relation, 'table': tables[0] if tables else none, 'files': files}) }}
{%- endmacro %}

{% macro pieces_of(narrowed) -%}
    {#- What is there now: each partition with what it holds; each file, which never changes. -#}
    {%- if narrowed.table -%}
        select cast(partition_start as {{ dbt.type_string() }}) as piece, content_id
        from {{ state_table('partitions') }}
        where model_name = '{{ narrowed.table.name }}'
    {%- endif -%}
    {%- for file_input in narrowed.files %}
        select cast(file_id as {{ dbt.type_string() }}) as piece, 'file' as content_id from {{ loader_ledger() }}
        where {{ loaded_files(file_input) }}
        {{ 'union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro due_pieces(narrowed, ours) -%}
    {#- The pieces that the test hasn't passed on; none if it is to look at everything. A partition that is gone is
        forgotten: if it comes again, it is new. A file that is gone may let others' rows be seen in its view. -#}
    {%- set found = run_query(
        "select coalesce(present.piece, tested.piece), present.piece is not null from (" ~ pieces_of(narrowed)
        ~ ") as present full join (select * from " ~ state_table('tested_pieces') ~ " where " ~ ours
        ~ ") as tested on present.piece = tested.piece and present.content_id = tested.content_id"
        ~ " where present.piece is null or tested.has_passed is distinct from true"
    ).rows -%}
    {%- set due, gone = [], [] -%}
    {%- for piece, is_there in found -%}{%- do (due if is_there else gone).append(piece | string) -%}{%- endfor -%}
    {%- if gone and narrowed.files -%}{{ return(none) }}{%- endif -%}
    {%- if gone -%}
        {%- call statement('begin', auto_begin=true) -%}select 1{%- endcall -%}
        {%- do run_query("delete from " ~ state_table('tested_pieces') ~ " where " ~ ours ~ " and (piece, content_id)"
            ~ " not in (select piece, content_id from (" ~ pieces_of(narrowed) ~ ") as present)") -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
    {{ return(due) }}
{%- endmacro %}

{% macro remember_due(narrowed, ours, due) -%}
    {#- What the test looks at now, until it has passed; everything if no piece is named. -#}
    {%- set which = "piece in ('" ~ due | join("', '") ~ "')" if due else 'true' -%}
    {%- do run_query("delete from " ~ state_table('tested_pieces') ~ " where " ~ ours ~ " and " ~ which) -%}
    {%- do run_query("insert into " ~ state_table('tested_pieces') ~ " (test_name, piece, content_id, has_passed)"
        ~ " select '" ~ model.unique_id ~ "', piece, content_id, false from (" ~ pieces_of(narrowed)
        ~ ") as present where " ~ which) -%}
{%- endmacro %}

{% macro narrowed_test(sql, narrowed, due) -%}
    {#- The test's SQL over the rows of these pieces. Where it says so by with_all_of, over all rows that share a
        value with one of them. -#}
    {%- set relation = narrowed.relation -%}
    {%- set condition -%}
        {%- if narrowed.files -%}_file_id in ({{ due | join(', ') }})
        {%- else -%}
            {%- set field = narrowed.table.partition_by.field -%}
            {{ field }} in ({{ as_dates(due) }})
        {%- endif -%}
    {%- endset -%}
    {%- set parts = modules.re.split(named_exactly(relation) ~ '(?: /\\* with all of its (\\w+) \\*/)?', sql) -%}
    {%- set narrow = namespace(sql=parts[0]) -%}
    {%- for part in parts[1:] -%}
        {%- if loop.index is odd -%} {#- the column, or none -#}
            {%- set is_due = part ~ " in (select " ~ part ~ " from " ~ relation ~ " where " ~ condition ~ ")" -%}
            {%- set narrow.sql = narrow.sql ~ "(select * from " ~ relation ~ " where " ~ (is_due if part else condition)
                ~ ")" -%}
        {%- else -%}
            {%- set narrow.sql = narrow.sql ~ part -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(narrow.sql) }}
{%- endmacro %}

{% macro with_all_of(column) -%}
    {#- After an input's name in a test that compares rows: a narrowed test looks at all rows that share a value of the
        column with a new one. The column is never null where rows are compared. -#}
    /* with all of its {{ column }} */
{%- endmacro %}
