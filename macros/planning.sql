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

{% macro hash_to_join() -%}
    {#- For this transaction, join by hashing, with memory for it: rows of two keys that hang together, a product and
        the stores that sell it, are taken for few, and looked up in an index a million times. Nothing where the engine
        plans otherwise. -#}
    {{ return(adapter.dispatch('hash_to_join')()) }}
{%- endmacro %}

{% macro default__hash_to_join() %}{% endmacro %}

{% macro postgres__hash_to_join() -%}
    set local enable_nestloop = off;
    set local hash_mem_multiplier = 4;
{%- endmacro %}

{% macro join_as_written() -%}
    {#- For this transaction, join in the order that the SQL has, where the planner can't know how few rows a pair of
        keys leaves. Nothing where the engine plans otherwise. -#}
    {{ return(adapter.dispatch('join_as_written')()) }}
{%- endmacro %}

{% macro default__join_as_written() %}{% endmacro %}

{% macro postgres__join_as_written() -%}
    set local join_collapse_limit = 1;
{%- endmacro %}

{% macro hash_to_group() -%}
    {#- For this transaction, group and join by hashing even where the planner takes the rows for few: it would sort
        them, and texts sort slowly. Nothing where the engine plans otherwise. -#}
    {{ return(adapter.dispatch('hash_to_group')()) }}
{%- endmacro %}

{% macro default__hash_to_group() %}{% endmacro %}

{% macro postgres__hash_to_group() -%}
    set local enable_sort = off;
    set local enable_incremental_sort = off;
    set local hash_mem_multiplier = 4;
{%- endmacro %}

{% macro at_once() -%}
    {#- After the name of a CTE: its columns are computed once, and not for each row that they are joined to. Nothing
        where the engine plans otherwise. -#}
    {{ return(adapter.dispatch('at_once')()) }}
{%- endmacro %}

{% macro default__at_once() %}{% endmacro %}

{% macro postgres__at_once() -%}
    materialized
{%- endmacro %}

{% macro in_order_of(column) -%}
    {#- At a select's end: a period's rows come to lie side by side, and are read from few pages. Nothing where the
        engine keeps each partition in files of its own. -#}
    {{ return(adapter.dispatch('in_order_of')(column)) }}
{%- endmacro %}

{% macro default__in_order_of(column) %}{% endmacro %}

{% macro postgres__in_order_of(column) -%}
    order by {{ column }} asc nulls last
{%- endmacro %}
