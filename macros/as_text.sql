{% macro as_text(expression, missing='missing') -%}
    {#- A value as text for a test's message; what is missing is said, and doesn't make the whole message null. -#}
    coalesce(cast({{ expression }} as {{ dbt.type_string() }}), '{{ missing }}')
{%- endmacro %}
