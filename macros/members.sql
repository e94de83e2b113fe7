{% macro unknown_id(column) -%}
    {#- The natural id of a dimension's unknown member, whose key is 0: facts point at it whose id no source knows. -#}
    {{ return(reserved_id(column, 'unknown', 0)) }}
{%- endmacro %}

{% macro no_customer_id() -%}
    {#- The natural id of the member of dim_customer whose key is -1: sales at which nobody said who they were. -#}
    {{ return(reserved_id('customer_id', 'none', -1)) }}
{%- endmacro %}

{% macro reserved_id(column, word, number) -%}
    {%- set type = var(column ~ '_type') -%}
    {{ return("cast('" ~ (word if type == 'text' else number) ~ "' as " ~ engine_type(type) ~ ")") }}
{%- endmacro %}

{% macro is_identified(customer_key) -%}
    {#- Whether a sale, or a member of dim_customer, is one of a customer who is known by an id. -#}
    {{ customer_key }} not in (0, -1)
{%- endmacro %}
