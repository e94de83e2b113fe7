{#- What changed above the marts since the publication before. Each publication remembers what it was built from: the
    code and the contents of models, the contents of seeds, and the files that were read. -#}

{% macro record_inputs(number) -%}
    {#- What the publication is built from. -#}
    {%- set selects = [
        "select 'content', model_name, content_id from " ~ state_table('models'),
        "select 'code', model_name, code_hash from " ~ state_table('models'),
        "select 'file', model_name, cast(unnest(cast(file_ids as integer[])) as text) from "
        ~ state_table('models'),
    ] -%}
    {%- if has_ledger() -%}
        {%- do selects.append(
            "select distinct 'file', dates.model_name, cast(dates.file_id as text) from " ~ state_table('files')
            ~ " as dates inner join " ~ loader_ledger() ~ " as ledger on dates.file_id = ledger.file_id"
            ~ " inner join " ~ state_table('models') ~ " as models on dates.model_name = models.model_name"
            ~ " where ledger.status = 'loaded'"
        ) -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'snapshot' -%}
            {%- for file_input in feeds_above(node) -%}
                {%- do selects.append(
                    "select 'file', '" ~ node.name ~ "', cast(file_id as text) from " ~ loader_ledger() ~ " where "
                    ~ loaded_files(file_input)
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set seeds = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'seed' -%}
        {%- do seeds.update({node.schema ~ '.' ~ node.alias: node}) -%}
    {%- endfor -%}
    {%- for name in run_query(
        "select nspname || '.' || relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
        ~ "where nspname || '.' || relname in ('" ~ seeds.keys() | join("', '") ~ "') order by 1"
    ).columns[0].values() -%}
        {%- do selects.append("select 'seed', '" ~ seeds[name].name ~ "', " ~ content_hash(name)) -%}
    {%- endfor -%}
    {%- do run_query(
        "insert into " ~ built_schema() ~ ".published_inputs select distinct " ~ number ~ ", inputs.* from ("
        ~ selects | join(' union all ') ~ ") as inputs (kind, name, hash) where hash is not null"
    ) -%}
{%- endmacro %}

{% macro record_inputs_of_upgraded(number) -%}
    {#- Of the newest publication, if it was published before publications remembered what they were built from. -#}
    {%- if number > 0 and not run_query(
        "select 1 from " ~ built_schema() ~ ".published_inputs where publication_id = " ~ number ~ " limit 1"
    ).rows -%}
        {%- do record_inputs(number) -%}
    {%- endif -%}
{%- endmacro %}

{% macro feeds_above(node) -%}
    {#- The raw tables that a node reads itself, or through views: their schemas and names. -#}
    {%- set found = [] -%}
    {%- for parent in node.depends_on.nodes -%}
        {%- set source, read = graph.sources.get(parent), graph.nodes.get(parent) -%}
        {%- if source and source.external -%}
            {%- do found.append({'schema': source.schema, 'table': source.identifier}) -%}
        {%- elif read and read.config.materialized == 'view' -%}
            {%- do found.extend(feeds_above(read)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro has_ledger() -%}
    {#- Whether the project declares the loader's ledger, and it is there: a first load makes it. -#}
    {{ return('source.' ~ project_name ~ '.loader.files' in graph.sources
        and run_query("select to_regclass('" ~ loader_ledger() ~ "') is not null").rows[0][0]) }}
{%- endmacro %}

{% macro changed_inputs(before, number) -%}
    {#- The names of what changed between two publications: a dict of lists, `content`, `code` and `seed`. The files are
        in publication_files then, one row for each partition that a file has rows in. -#}
    {%- set inputs, changed = built_schema() ~ '.published_inputs', {'content': [], 'code': [], 'seed': []} -%}
    {%- for kind, name in run_query("
        select coalesce(old.kind, new.kind), coalesce(old.name, new.name)
        from (select kind, name, hash from " ~ inputs ~ " where publication_id = " ~ before ~ ") as old
        full join (select kind, name, hash from " ~ inputs ~ " where publication_id = " ~ number ~ ") as new
            on old.kind = new.kind and old.name = new.name
        where coalesce(old.kind, new.kind) <> 'file' and old.hash is distinct from new.hash order by 1, 2
    ").rows -%}
        {%- do changed[kind].append(name) -%}
    {%- endfor -%}
    {%- if has_ledger() -%}
        {%- do record_files(inputs, before, number) -%}
    {%- endif -%}
    {{ return(changed) }}
{%- endmacro %}

{% macro record_files(inputs, before, number) -%}
    {#- A file is new if no version of its key was read for the publication before, withdrawn if none is read now, and
        restated if another one is. -#}
    {%- set granularities = [] -%}
    {%- for node in graph.nodes.values() if node.config.get('partition_by') -%}
        {%- do granularities.append("('" ~ node.name ~ "', '1 " ~ node.config.partition_by.granularity ~ "')") -%}
    {%- endfor -%}
    {%- do run_query("
        delete from " ~ built_schema() ~ ".publication_files;
        insert into " ~ built_schema() ~ ".publication_files (name, cause, key, first_date, last_date)
        with sides as (
            select inputs.publication_id, inputs.name, ledger.file_id, ledger.schema_name, ledger.table_name,
                's3://' || ledger.bucket || '/' || ledger.key as key
            from " ~ inputs ~ " as inputs
            inner join " ~ loader_ledger() ~ " as ledger on cast(inputs.hash as integer) = ledger.file_id
            where inputs.kind = 'file' and inputs.publication_id in (" ~ before ~ ", " ~ number ~ ")
        ),
        versions as (
            select name, schema_name, table_name, key, array_agg(file_id) as file_ids,
                array_agg(file_id order by file_id) filter (where publication_id = " ~ before ~ ") as old_ids,
                array_agg(file_id order by file_id) filter (where publication_id = " ~ number ~ ") as new_ids
            from sides
            group by name, schema_name, table_name, key
        )
        select distinct versions.name,
            case when old_ids is null then 'new files' when new_ids is null then 'withdrawn files'
                else 'restated files' end,
            versions.key, dates.partition_start,
            cast(dates.partition_start + cast(units.unit as interval) - interval '1 day' as date)
        from versions
        left join (values " ~ (granularities or ["('', '1 day')"]) | join(', ') ~ ") as units (name, unit)
            on versions.name = units.name
        left join " ~ state_table('files') ~ " as dates
            on versions.name = dates.model_name and dates.file_id = any(versions.file_ids)
        where old_ids is distinct from new_ids
    ") -%}
{%- endmacro %}

{% macro collect_causes(node, changed, found) -%}
    {#- Adds what changed above a mart, and could reach it: nothing above a model whose rows are what they were. `found`
        is a dict of `seen`, and of names: `readers` (of files), `code`, `seeds`. -#}
    {%- for parent in node.depends_on.nodes if parent in graph.nodes and parent not in found.seen -%}
        {%- set read = graph.nodes[parent] -%}
        {%- do found.seen.append(parent) -%}
        {%- if read.resource_type == 'seed' -%}
            {%- if read.name in changed.seed -%}{%- do found.seeds.append(read.name) -%}{%- endif -%}
        {%- elif read.config.materialized != 'incremental_table' or read.name in changed.content -%}
            {%- do found.readers.append(read.name) -%}
            {%- if read.name in changed.code -%}{%- do found.code.append(read.name) -%}{%- endif -%}
            {%- do collect_causes(read, changed, found) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
