{#- A mart has two names. Readers use `sales.sales_performance`, a view on the rows that are published: so do dbt's
    docs, `dbt show`, analyses and exposures. A build writes and tests `built.sales_performance`, a view on the
    newest rows. Both read the tables `built.sales_performance__<number>`. Why, stands in docs/decisions.md. -#}

{% macro ref() -%}
    {#- dbt's own; inside a build a mart is its newest rows. -#}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- if execute and flags.WHICH in testing_commands() and model.resource_type in ('model', 'test', 'snapshot') -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ varargs[-1]] -%}
        {#- a unit test's input is elsewhere already; a deferred one, too, if it isn't built here -#}
        {%- if node and is_published(node) and relation.identifier == node.alias -%}
            {%- if relation.schema == node.schema or is_built_here(node) -%}
                {{ return(built_relation(node)) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro is_built_here(node) -%}
    {#- Whether a mart has rows of one's own, which `--defer` goes by; dbt itself looks for what readers see. -#}
    {%- set is_favored = invocation_args_dict.get('favor_state') and node.unique_id not in selected_resources -%}
    {{ return(not is_favored and load_cached_relation(built_relation(node)) is not none) }}
{%- endmacro %}

{% macro testing_commands() -%}
    {#- Commands of dbt that see what is built, and not what is published. -#}
    {{ return(building_commands() + ('test', 'snapshot')) }}
{%- endmacro %}

{% macro is_published(node) -%}
    {#- Whether readers see a model through a view: a mart, but none of the steps to it. -#}
    {{ return(adapter.dispatch('is_published')(node)) }}
{%- endmacro %}

{% macro default__is_published(node) -%}
    {{ return(false) }}
{%- endmacro %}

{% macro postgres__is_published(node) -%}
    {{ return(
        node.resource_type == 'model' and node.config.materialized == 'incremental_table'
        and mart_folder(node) | trim != '' and not is_step(node)
    ) }}
{%- endmacro %}

{% macro built_schema() -%}
    {{ return(generate_schema_name('built', none) | trim) }}
{%- endmacro %}

{% macro built_relation(node) -%}
    {#- Where a build finds the rows of a model: the view on its newest rows if it is published, else the table. -#}
    {%- if is_published(node) -%}
        {{ return(api.Relation.create(node.database or none, built_schema(), node.alias, type='view')) }}
    {%- endif -%}
    {{ return(api.Relation.create(node.database or none, node.schema, node.alias, type='table')) }}
{%- endmacro %}

{% macro postgres__get_columns_in_relation(relation) -%}
    {#- dbt's own; a unit test's input has the columns of a mart's newest rows, which readers may not see yet. -#}
    {%- set found, name = namespace(relation=relation), relation | string -%}
    {%- for node in graph.nodes.values() if node.relation_name == name and is_published(node) -%}
        {%- if flags.WHICH in testing_commands() -%}{%- set found.relation = built_relation(node) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(dbt.postgres__get_columns_in_relation(found.relation)) }}
{%- endmacro %}
