{% macro model_inputs(node) -%}
    {#- What a model reads, from dbt's graph: a dict of lists.

        - `files`: raw tables, by the staging view (or source) that shows them: the loader's ledger tells what changed;
          and if such a view reads the ledger, too.
        - `partitioned`: incremental tables with partitions, which can be read in part.
        - `members`: dimensions whose key the model keeps: what changed is told member by member. So of those without
          versions that it joins to an input which keeps the key (`is_joined`): a new member's rows come with the input.
        - `spans`: the one table that lists the model's partitions, if it names one: each is touched with its rows.
        - `whole`: everything else; any change of it rebuilds the model.
        - `views`: relations whose definition is part of the model's code.
        - `untracked`: inputs of which nobody can tell a change. -#}
    {%- set inputs = {'files': [], 'partitioned': [], 'members': [], 'spans': [], 'whole': [], 'views': [],
        'untracked': []} -%}
    {%- set keys_above = [] -%} {#- of incremental tables that it reads: a new version rewrites the rows there -#}
    {%- for parent in node.depends_on.nodes if parent in graph.nodes -%}
        {%- if graph.nodes[parent].config.get('partition_by') -%}
            {%- do keys_above.extend(graph.nodes[parent].columns) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do collect_inputs(node, node, inputs, keys_above, none) -%}
    {%- if inputs.spans and inputs.files -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " reads the staging view " ~ inputs.files[0].name ~ ", and its partitions are listed by spans: "
            ~ "read a model of the warehouse in its place"
        ) }}
    {%- endif -%}
    {{ return(inputs) }}
{%- endmacro %}

{% macro collect_inputs(node, reader, inputs, keys_above, view) -%}
    {#- Add what `reader` reads: the model, or a view between it and the tables. -#}
    {%- set by_partition = node.config.get('partition_by') -%}
    {%- for parent in reader.depends_on.nodes | sort -%}
        {%- if parent in graph.sources -%}
            {%- set source = graph.sources[parent] -%}
            {%- if source.external -%}
                {%- do inputs.files.append({
                    'name': (view or source).name,
                    'relation': view.relation if view else readable_source(source) | string,
                    'schema': source.schema, 'table': source.identifier,
                }) -%}
            {%- elif parent != 'source.' ~ project_name ~ '.loader.files' or not reads_feed(reader) -%}
                {%- do inputs.untracked.append(source.name) -%}
            {%- endif -%}
        {%- elif parent in graph.nodes -%}
            {%- set read = graph.nodes[parent] -%}
            {%- set relation = relation_of(read, view) -%}
            {%- set is_elsewhere = view.is_elsewhere if view else relation != our_relation(read) -%}
            {%- if is_elsewhere and read.config.materialized == 'incremental_table' -%}
                {%- do inputs.untracked.append(read.name) -%} {#- what is remembered is of our own -#}
            {%- endif -%}
            {%- set input = {
                'name': read.name, 'relation': relation, 'is_elsewhere': is_elsewhere,
                'partition_by': read.config.get('partition_by'),
                'is_remembered': read.config.materialized == 'incremental_table',
                'before': by_partition.get('reads_before', {}).get(read.name) if by_partition else none,
            } -%}
            {%- set noun = read.name | replace('dim_', '', 1) -%}
            {%- set is_versioned = 'valid_from' in read.columns -%}
            {%- if read.config.materialized == 'view' -%}
                {%- do inputs.views.append(input) -%}
                {%- do collect_inputs(node, read, inputs, keys_above, input) -%}
            {%- elif by_partition and not view and by_partition.spans and by_partition.spans.table == read.name -%}
                {%- do inputs.spans.append(input) -%}
            {%- elif by_partition and not view and input.partition_by -%}
                {%- do inputs.partitioned.append(input) -%}
            {%- elif by_partition and read.name.startswith('dim_') and noun ~ '_key' in node.columns -%}
                {%- set id = noun ~ '_id' -%}
                {%- do input.update({
                    'key': noun ~ '_key',
                    'id': id if id in read.columns and id in node.columns else none,
                    'is_versioned': is_versioned,
                    'attributes': read.columns.keys() | reject('in', [noun ~ '_key', id, 'valid_from', 'valid_to'])
                        | list,
                }) -%}
                {%- do inputs.members.append(input) -%}
            {%- elif by_partition and not view and not is_versioned and noun ~ '_key' in keys_above
                and read.name.startswith('dim_') -%}
                {%- do input.update({
                    'key': noun ~ '_key', 'id': none, 'is_joined': true,
                    'attributes': read.columns.keys() | reject('eq', noun ~ '_key') | list,
                }) -%}
                {%- do inputs.members.append(input) -%}
            {%- elif not (by_partition and is_versioned and noun ~ '_key' in keys_above) -%}
                {#- without partitions: of small dimensions only, for each model reads them to tell -#}
                {%- if not view and read.name.startswith('dim_') and (by_partition or not is_versioned) -%}
                    {%- do input.update({'attributes': read.columns.keys() | list, 'all': read.columns | length}) -%}
                {%- endif -%}
                {%- do inputs.whole.append(input) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro reads_feed(node) -%}
    {#- Whether a view reads a raw table itself. -#}
    {%- for parent in node.depends_on.nodes if parent in graph.sources and graph.sources[parent].external -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{% macro our_relation(read) -%}
    {{ return((built_relation(read) if is_published(read) else read.relation_name) | string) }}
{%- endmacro %}

{% macro relation_of(read, view) -%}
    {#- Where a node is that is read: under `--defer`, the model's own inputs may be another target's. -#}
    {%- if not invocation_args_dict.get('defer') or view -%}{{ return(our_relation(read)) }}{%- endif -%}
    {%- set resolved = ref(read.name) -%}
    {{ return(api.Relation.create(resolved.database, resolved.schema, resolved.identifier) | string) }}
{%- endmacro %}

{% macro need_inputs(inputs) -%}
    {#- Say which input isn't there, before the database says it in its own words. -#}
    {%- set needed = inputs.files + inputs.partitioned + inputs.members + inputs.whole + inputs.views -%}
    {%- set found = are_there(needed | map(attribute='relation') | list) -%}
    {%- for input in needed -%}
        {%- if not found[loop.index0] -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ ' reads ' ~ input.relation ~ ', which is not there: dbt build --select +' ~ model.name
                ~ ' makes what it reads, too'
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro what_makes_it(inputs, table, ours, files) -%}
    {#- What makes the model, or test, now, beside what is remembered of it, by one query: a dict.

        - `inputs_hash`: of all that makes every row; `views_hash`: of the views in it.
        - `code_hash`: of the code and the views alone; `file_ids`: of the files that a model without partitions reads.
          What a publication changes is told by them.
        - `seen`: what is in the tables that it reads, and which of these files' inputs are loaded.
        - `is_known`: whether every input's state is: one that was deferred to, cloned or made by hand has none.
        - `is_same`: whether all of this is as remembered.
        - `remembered`: its row of state, all none if there isn't one; and of a model, as `kind`, what stands there now.
        - `found`: the table with that row; of a test, with dbt's columns for one that passed. -#}
    {%- set names = namespace(code=model.compiled_code) -%} {#- the same in every schema -#}
    {%- for input in inputs.files + inputs.partitioned + inputs.members + inputs.spans + inputs.whole + inputs.views -%}
        {%- set names.code = in_place_of(input.relation, input.name, names.code) -%}
    {%- endfor -%}
    {%- set code = [names.code] -%} {#- dbt keeps the keys of a config in any order -#}
    {%- for setting in ['partition_by', 'indexes'] -%}
        {%- do code.append(tojson(config.get(setting), sort_keys=true)) -%}
    {%- endfor -%}
    {%- for column in model.columns.values() -%}
        {%- do code.append(column.name ~ ' ' ~ column.data_type ~ ' ' ~ column.constraints) -%}
    {%- endfor -%}
    {%- do code.append(model.constraints) -%}
    {%- set states = ["'" ~ local_md5(code | join('|')) ~ "'"] -%}
    {%- set read = [] -%}
    {%- set views = ["''"] -%}
    {%- for view in inputs.views -%}{%- do views.append(definition_of(view)) -%}{%- endfor -%}
    {%- set remembered = (inputs.whole + inputs.partitioned + inputs.members + inputs.spans)
        | selectattr('is_remembered') | map(attribute='name') | unique | list -%}
    {%- for input in inputs.whole -%}
        {%- set is_told = input.is_remembered and not reads_part(input) -%}
        {%- do states.append('known.' ~ input.name if is_told else state_of(input)) -%}
    {%- endfor -%}
    {%- for file_input in inputs.files if not config.get('partition_by') -%}
        {%- do states.append(loaded_files_hash(file_input)) -%}
        {%- if table == 'models' -%}{%- do read.append(loaded_files(file_input)) -%}{%- endif -%}
    {%- endfor -%}
    {%- set query -%}
        with known as (
            {{ what_is_known(remembered, tables_read(model)) }}
        ),

        now as (
            select
                'hash ' || md5(concat_ws('|', {{ (states + views) | join(', ') }})) as inputs_hash,
                'hash ' || md5(concat_ws('|', {{ views | join(', ') }})) as views_hash,
                'hash ' || md5(concat_ws('|', {{ (states[:1] + views) | join(', ') }})) as code_hash,
                {{ loaded_file_ids(read) }} as file_ids,
                known.is_known,
                known.seen
                {%- for file_input in files %}
                || ' ' || coalesce({{ loaded_files_hash(file_input) }}, 'none')
                {%- endfor %} as seen
            from known
        )

        select
            now.inputs_hash as inputs_hash_now, now.views_hash as views_hash_now, now.code_hash as code_hash_now,
            now.file_ids as file_ids_now, now.is_known, 'seen ' || now.seen as seen_now,
            coalesce(remembered.inputs_hash = now.inputs_hash and remembered.seen = now.seen, false) as is_same,
            {% if table == 'models' -%} {{ kind_of(built_relation(model)) }} as kind,
            {%- else -%} 0 as failures, false as should_warn, false as should_error,
            {%- endif %}
            {{ named_session() }} as session_name,
            remembered.*
        from now
        left join {{ state_table(table) }} as remembered on {{ ours }}
    {%- endset -%}
    {%- set found = run_query(query) -%}
    {%- set row = found.rows[0] -%}
    {%- set is_known = row['is_known'] and not inputs.untracked -%}
    {{ return({
        'inputs_hash': row['inputs_hash_now'], 'views_hash': row['views_hash_now'], 'is_known': is_known,
        'code_hash': row['code_hash_now'], 'file_ids': row['file_ids_now'], 'seen': row['seen_now'][5:],
        'is_same': is_known and row['is_same'], 'remembered': row, 'found': found,
    }) }}
{%- endmacro %}

{% macro state_of(input) -%}
    {#- An expression that changes when the rows of an input do; of a dimension, when what the model reads of them
        does. -#}
    {%- if reads_part(input) -%}
        (
            select
                count(*) || ':' || coalesce(sum(cast({{ surrogate_key(attributes_read(input)) }} as numeric(38, 0))), 0)
            from {{ input.relation }}
        )
    {%- elif input.is_remembered -%}
        (select content_id from {{ state_table('models') }} where model_name = '{{ input.name }}')
    {%- else -%}
        {{ content_hash(input.relation) }}
    {%- endif -%}
{%- endmacro %}

{% macro reads_part(input) -%}
    {#- Whether the model reads a dimension's attributes and not all of them: then these tell whether it changed. -#}
    {%- if not input.attributes or input.key -%}{{ return(false) }}{%- endif -%}
    {{ return(attributes_read(input) and attributes_read(input) | length != input.all) }}
{%- endmacro %}

{% macro loader_ledger() -%}
    {#- The loader's ledger of files. From the graph, for a materialization can't have a source() of its own. -#}
    {{ return(readable_source(graph.sources['source.' ~ project_name ~ '.loader.files']) | string) }}
{%- endmacro %}

{% macro loaded_files(file_input) -%}
    {#- A condition on the ledger: files of an input that are in its table now. -#}
    status = 'loaded' and row_count > 0
    and schema_name = '{{ file_input.schema }}' and table_name = '{{ file_input.table }}'
{%- endmacro %}

{% macro loaded_file_ids(conditions) -%}
    {#- An expression: the file_ids that fulfil one of these conditions, as a text; none, null. Publishing asks. -#}
    {{ return(adapter.dispatch('loaded_file_ids')(conditions)) }}
{%- endmacro %}

{% macro default__loaded_file_ids(conditions) -%}
    cast(null as {{ dbt.type_string() }})
{%- endmacro %}

{% macro postgres__loaded_file_ids(conditions) -%}
    {%- if not conditions -%}{{ return('cast(null as ' ~ dbt.type_string() ~ ')') }}{%- endif -%}
    (
        select cast(array_agg(file_id order by file_id) as {{ dbt.type_string() }})
        from {{ loader_ledger() }} where {% for one in conditions %}({{ one }}){{ ' or ' if not loop.last }}{% endfor %}
    )
{%- endmacro %}

{% macro loaded_files_hash(file_input) -%}
    (
        select {{ hash_of_set('cast(file_id as ' ~ dbt.type_string() ~ ')') }}
        from {{ loader_ledger() }} where {{ loaded_files(file_input) }}
    )
{%- endmacro %}
