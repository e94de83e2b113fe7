{% macro add_days(date, days) -%}
    {#- A date some days later; unlike with dbt.dateadd, no timestamp is made on the way. -#}
    {{ return(adapter.dispatch('add_days')(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    ({{ date }} + {{ days }})
{%- endmacro %}

{% macro days_between(first, last) -%}
    {#- An expression that yields a row for each day from first to last. -#}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
    cast(generate_series({{ first }}, {{ last }}, interval '1 day') as date)
{%- endmacro %}

{% macro date_or(variable, otherwise) -%}
    {#- A date that a variable may set; the expression where it is null. -#}
    cast({{ "'" ~ var(variable) ~ "'" if var(variable) else otherwise }} as date)
{%- endmacro %}
