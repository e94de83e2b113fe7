{% macro decimal_comma(column) -%}
    {#- An amount that the source writes as 1.234,56. -#}
    cast(replace(replace({{ column }}, '.', ''), ',', '.') as numeric(14, 2))
{%- endmacro %}
