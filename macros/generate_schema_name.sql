{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Layers have plain names (staging, warehouse, marketing …). DBT_SCHEMA other than `dev` is a developer's or
        CI's own copy beside them: everything goes to <DBT_SCHEMA>_<layer>. -#}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.schema == 'dev' -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
