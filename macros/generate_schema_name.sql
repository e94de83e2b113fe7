{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- A layer's schema: what `+schema` says; of a mart that has none, its folder, or `built` if it is a step to one,
        for readers' schemas hold what is published alone. Targets prod and demo have the plain names (staging,
        marketing …). Every other has a copy of its own beside them, <the target's schema>_<layer>. -#}
    {%- set layer = (custom_schema_name or ('built' if is_step(node) else mart_folder(node)) or '') | trim -%}
    {%- if target.name == 'prod' and env_var('DBT_SCHEMA', '') -%}
        {{ exceptions.raise_compiler_error(
            "target prod writes the plain schemas, but DBT_SCHEMA is set (" ~ env_var('DBT_SCHEMA')
            ~ "), for a copy of your own: leave out --target prod, or unset DBT_SCHEMA"
        ) }}
    {%- endif -%}
    {%- if not layer -%}
        {%- set schema = target.schema -%}
    {%- elif target.name in ('prod', 'demo') -%}
        {%- set schema = layer -%}
    {%- else -%}
        {%- set schema = target.schema ~ '_' ~ layer -%}
    {%- endif -%}
    {%- if not modules.re.fullmatch('[a-z_][a-z0-9_]{0,62}', schema) -%} {#- PostgreSQL would cut a longer one -#}
        {{ exceptions.raise_compiler_error(
            "no name for a schema: " ~ schema ~ ". DBT_SCHEMA, and folders of marts, take small letters, digits and _; "
            ~ "together 63 at most"
        ) }}
    {%- endif -%}
    {{ schema }}
{%- endmacro %}

{% macro mart_folder(node) -%}
    {#- The folder below models/marts that a model is in; nothing of any other node. -#}
    {%- if node and node.resource_type == 'model' and node.fqn[1] == 'marts' and node.fqn | length > 3 -%}
        {{ node.fqn[2] }}
    {%- endif -%}
{%- endmacro %}

{% macro is_step(node) -%}
    {#- Whether a model is a step to marts, which readers don't see. -#}
    {{ return(mart_folder(node) | trim != '' and 'intermediate' in node.fqn) }}
{%- endmacro %}
