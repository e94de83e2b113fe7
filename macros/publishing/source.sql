{% macro source(source_name, table_name) -%}
    {#- dbt's own; for a developer, who may read raw tables masked only (DBT_MASKED=1), the view that shows it so. -#}
    {{ return(as_readable(builtins.source(source_name, table_name))) }}
{%- endmacro %}

{% macro readable_source(node) -%}
    {#- The same for a source of the graph, where there can be no source(). -#}
    {{ return(as_readable(api.Relation.create(node.database or none, node.schema, node.identifier))) }}
{%- endmacro %}

{% macro as_readable(relation) -%}
    {#- Where a raw table is read: itself, or masked. -#}
    {%- if env_var('DBT_MASKED', '') not in ('', '0') -%}
        {{ return(api.Relation.create(relation.database, 'masked_' ~ relation.schema, relation.identifier)) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
