{% macro know_the_rows() -%}
    {#- For a post-hook: how many different values a new table has, for the plans of what reads it in the same run.
        PostgreSQL would find out by itself a minute later, and until then takes a hash join of 20 million rows for
        dearer than sorting them. Nothing where the engine plans otherwise. -#}
    {{ return(adapter.dispatch('know_the_rows')()) }}
{%- endmacro %}

{% macro default__know_the_rows() %}{% endmacro %}

{% macro postgres__know_the_rows() -%}
    analyze {{ this }}
{%- endmacro %}
