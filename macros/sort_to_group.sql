{% macro sort_to_group() -%}
    {#- For this transaction, group by sorting: a table with nearly as many groups as rows doesn't fit into a hash
        table, and sorted rows make the index of the primary key for half the price. Nothing where the engine plans
        otherwise. -#}
    {{ return(adapter.dispatch('sort_to_group')()) }}
{%- endmacro %}

{% macro default__sort_to_group() %}{% endmacro %}

{% macro postgres__sort_to_group() -%}
    set local enable_hashagg = off;
{%- endmacro %}
