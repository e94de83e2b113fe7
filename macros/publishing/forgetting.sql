{#- `journey forget` takes a person out of raw tables and snapshots, and counts in loader.forgotten that it did. A build
    that began afterwards is without the person, when it has gone through everything; so is what it publishes. Earlier
    publications are dropped then, and what the tables that were built remember of their rows is renewed. -#}

{% macro forgets_now() -%}
    {#- How often somebody was forgotten; 0 where there is no such ledger, or none that may be read. -#}
    {%- set forgotten = as_readable(api.Relation.create(target.database, 'loader', 'forgotten')) -%}
    {%- set is_there = run_query(
        "select 1 from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid where nspname = '"
        ~ forgotten.schema ~ "' and relname = 'forgotten' and has_schema_privilege(relnamespace, 'usage')"
        ~ " and has_table_privilege(pg_class.oid, 'select')"
    ).rows -%}
    {{ return(
        run_query("select coalesce(sum(times), 0) from " ~ forgotten).rows[0][0] | int if is_there else 0
    ) }}
{%- endmacro %}

{% macro prepare_forgets() -%}
    {#- The table that says how many forgets runs and publications are without. -#}
    {%- do run_query(
        "create table if not exists " ~ built_schema() ~ ".forgets "
        ~ "(run_id text primary key, forgets bigint not null, is_done boolean not null, publication_id integer)"
    ) -%}
{%- endmacro %}

{% macro begin_forgetting() -%}
    {#- On run start: what a run that goes through everything is without. -#}
    {%- do prepare_forgets() -%}
    {%- if builds_everything() -%}
        {%- set forgets = built_schema() ~ '.forgets' -%}
        {%- do run_query(
            "delete from " ~ forgets ~ " where publication_id is null; insert into " ~ forgets ~ " values ('"
            ~ invocation_id ~ "', " ~ forgets_now() ~ ", false, null)"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro builds_everything() -%}
    {#- Whether this run goes through all models; a retry doesn't. Of seeds and snapshots `journey forget` does. -#}
    {%- if flags.WHICH not in building_commands() -%}{{ return(false) }}{%- endif -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
        {%- if node.unique_id not in selected_resources -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{% macro end_forgetting(results) -%}
    {#- On run end: the run has gone through everything, if nothing broke or was left out. Tests that fail are no
        matter: nothing is published then. -#}
    {%- set broken = results | selectattr('status', 'in', ['error', 'skipped', 'runtime error'])
        | selectattr('node.resource_type', 'in', ['model', 'snapshot', 'seed']) | list -%}
    {%- if builds_everything() and not broken -%}
        {%- do run_query(
            "update " ~ built_schema() ~ ".forgets set is_done = true where run_id = '" ~ invocation_id ~ "'"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro forgets_of(publication) -%}
    {#- An expression: how many forgets a publication is known to be without. -#}
    (
        select coalesce(max(forgets.forgets), 0) from {{ built_schema() }}.forgets as forgets
        where forgets.publication_id <= {{ publication }}
    )
{%- endmacro %}

{% macro keeps_forgotten(last) -%}
    {#- Whether publications before the last one hold somebody whom what is built is without. -#}
    {{ return(run_query(
        "select coalesce(max(forgets), 0) > " ~ forgets_of(last) ~ " from " ~ built_schema() ~ ".forgets where is_done"
    ).rows[0][0]) }}
{%- endmacro %}

{% macro drop_forgotten(last) -%}
    {#- The publication is without them, and so are now the statistics and, as far as vacuum can, the files of what is
        built: of tables, those of earlier publications, of which some may wait for readers. -#}
    {%- set forgets, waiting = built_schema() ~ '.forgets', older_tables(last) -%}
    {%- if waiting -%}
        {%- do say('A reader keeps tables of publications that hold a forgotten person (' ~ waiting | join(', ')
            ~ '): end it, and run journey publish') -%}
    {%- else -%}
        {%- do run_query(
            "update " ~ forgets ~ " set publication_id = " ~ last ~ " where is_done and publication_id is null"
        ) -%}
    {%- endif -%}
    {%- set schemas = [built_schema(), state_schema()] -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'snapshot') -%}
        {%- do schemas.append(node.schema) -%}
    {%- endfor -%}
    {%- do in_transaction('select 1') -%} {#- vacuum stands in no transaction -#}
    {%- for name in run_query(
        "select pg_class.oid::regclass::text from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
        ~ "where relkind = 'r' and nspname in ('" ~ schemas | unique | join("', '") ~ "')"
        ~ " and pg_has_role(relowner, 'usage') order by 1"
    ).columns[0].values() -%}
        {%- do run_query("vacuum (analyze) " ~ name) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro older_tables(last) -%}
    {#- Tables of marts that no publication from the last one on has rows in. -#}
    {%- set marts = marts_built() -%}
    {%- set found, older = catalogue(marts), [] -%}
    {%- for node in marts -%}{%- do older.extend(published_view(node, found, last).dropped) -%}{%- endfor -%}
    {{ return(older) }}
{%- endmacro %}
