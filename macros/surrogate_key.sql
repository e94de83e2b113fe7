{% macro surrogate_key(columns) -%}
    {#- An 8-byte key from business-key columns: the first 64 bits of the md5 of their texts.
        md5 because PostgreSQL and Spark agree on it; NULL counts as a text of its own, distinct from ''. -#}
    {{ return(adapter.dispatch('surrogate_key')(columns)) }}
{%- endmacro %}

{% macro surrogate_key_text(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ dbt.type_string() }}), '~null~')
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro postgres__surrogate_key(columns) -%}
    cast(cast('x' || substr(md5({{ surrogate_key_text(columns) }}), 1, 16) as bit(64)) as bigint)
{%- endmacro %}

{% macro spark__surrogate_key(columns) -%} {#- to base -10: with a sign -#}
    cast(conv(substr(md5({{ surrogate_key_text(columns) }}), 1, 16), 16, -10) as bigint)
{%- endmacro %}
