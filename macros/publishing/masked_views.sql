{#- What developers read: raw tables and what is built of them, with persons' columns masked, as views in
    masked_<schema>; of a mart its newest rows, in masked_built. -#}

{% macro mask_for_developers() -%}
    {#- On run end, where the plain schemas are built and there is a group for it: makes the views that are missing or
        should show something else. Columns that no YAML names stay out: nobody said whether they're a person's. -#}
    {{ return(adapter.dispatch('mask_for_developers')()) }}
{%- endmacro %}

{% macro default__mask_for_developers() %}{% endmacro %}

{% macro postgres__mask_for_developers() -%}
    {%- set developer = var('role_prefix', '') ~ 'developer' -%}
    {%- if execute and target.name in ('prod', 'demo') and flags.WHICH in building_commands() and run_query(
        "select to_regrole('" ~ developer ~ "') is not null"
    ).rows[0][0] -%}
        {%- do prepare_masking() -%}
        {%- set there = {} -%}
        {%- for schema, table, column, type in run_query(
            "select nspname, relname, attname, format_type(atttypid, atttypmod) from pg_attribute "
            ~ "inner join pg_class on attrelid = pg_class.oid "
            ~ "inner join pg_namespace on relnamespace = pg_namespace.oid "
            ~ "where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v')"
        ).rows -%}
            {%- do there.setdefault(schema ~ '.' ~ table, {}).update({column: type}) -%}
        {%- endfor -%}
        {%- set known = {} -%}
        {%- for name, said in run_query(
            "select nspname || '.' || relname, obj_description(pg_class.oid, 'pg_class') from pg_class "
            ~ "inner join pg_namespace on relnamespace = pg_namespace.oid where nspname like 'masked\\_%'"
        ).rows -%}
            {%- do known.update({name: said}) -%}
        {%- endfor -%}
        {%- set kinds = ('source', 'model', 'seed', 'snapshot') -%}
        {%- for node in graph.sources.values() | list + graph.nodes.values() | list if node.resource_type in kinds -%}
            {%- set schema = built_schema() if is_published(node) else node.schema -%}
            {%- set table = schema ~ '.' ~ (node.identifier or node.alias) -%}
            {%- if table in there -%}
                {%- do mask_table(node, table, there[table], known.get('masked_' ~ table), developer) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro mask_table(node, table, there, known, developer) -%}
    {#- One view, if it isn't as it should be. -#}
    {%- set expressions = [] -%}
    {%- for column in node.columns.values() if column.name in there -%}
        {%- set shown = adapter.quote(column.name) -%}
        {%- if 'pii' in column.config.meta -%} {#- else no macro is called: for all columns that takes a second -#}
            {%- set type = column.data_type or there[column.name] -%} {#- staging states none -#}
            {%- set shown = published_column(dict(column, data_type=type)) -%}
        {%- endif -%}
        {%- do expressions.append(shown ~ ' as ' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- for name in there if name not in node.columns and (
        name == '_file_id' or node.resource_type == 'snapshot' and name.startswith('dbt_')
    ) -%}
        {%- do expressions.append(name) -%}
    {%- endfor -%}
    {%- set select = "select " ~ expressions | join(', ') ~ " from " ~ table -%}
    {%- set comment = "what developers see of " ~ table ~ ", " ~ local_md5(select) -%}
    {%- if expressions and known != comment -%}
        {%- set view = 'masked_' ~ table -%}
        {%- do open_schema(view.split('.')[0], developer) -%}
        {%- do run_query(
            "begin; drop view if exists " ~ view ~ " cascade; create view " ~ view ~ " as " ~ select
            ~ "; comment on view " ~ view ~ " is '" ~ comment ~ "'; commit"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro let_analysts_read(relation) -%}
    {#- Grants a mart of the plain schemas, as often as it is made anew, to the group that `journey roles` made, if so.
        By name and not by default privileges: the steps on the way to a mart stand beside it. -#}
    {%- set analyst = var('role_prefix', '') ~ 'analyst' -%}
    {%- if target.name in ('prod', 'demo') and run_query(
        "select to_regrole('" ~ analyst ~ "') is not null"
    ).rows[0][0] -%}
        {%- do run_query("grant select on " ~ relation ~ " to " ~ analyst) -%}
    {%- endif -%}
{%- endmacro %}

{% macro open_schema(schema, reader) -%}
    {#- A schema of views that a group reads, whatever is made in it from now on. Without the group (nobody ran `journey
        roles`) it is just a schema. -#}
    {%- do run_query("create schema if not exists " ~ schema) -%}
    {%- if run_query("select to_regrole('" ~ reader ~ "') is not null").rows[0][0] -%}
        {%- do run_query("grant usage on schema " ~ schema ~ " to " ~ reader) -%}
        {%- do run_query("alter default privileges in schema " ~ schema ~ " grant select on tables to " ~ reader) -%}
    {%- endif -%}
{%- endmacro %}
