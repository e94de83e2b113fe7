{% macro add_days(date, days) -%}
    {#- A date some days later; unlike with dbt.dateadd, no timestamp is made on the way. -#}
    {{ return(adapter.dispatch('add_days')(date, days)) }}
{%- endmacro %}

{% macro postgres__add_days(date, days) -%}
    ({{ date }} + {{ days }})
{%- endmacro %}

{% macro spark__add_days(date, days) -%}
    date_add({{ date }}, cast({{ days }} as int))
{%- endmacro %}

{% macro days_between(first, last) -%}
    {#- An expression that yields a row for each day from first to last. -#}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro postgres__days_between(first, last) -%}
    cast(generate_series({{ first }}, {{ last }}, interval '1 day') as date)
{%- endmacro %}

{% macro spark__days_between(first, last) -%}
    explode(sequence({{ first }}, {{ last }}, interval 1 day))
{%- endmacro %}

{% macro date_or(variable, otherwise) -%}
    {#- A date that a variable may set; the expression where it is null. -#}
    cast({{ "'" ~ var(variable) ~ "'" if var(variable) else otherwise }} as date)
{%- endmacro %}

{% macro until_as_of(date) -%}
    {#- A condition: the date is not after the as-of date. It reads no table, so that a model with partitions can have
        it: the as-of date is the last there is, unless a variable sets another. -#}
    {{ date ~ ' <= ' ~ date_or('as_of_date', none) if var('as_of_date') else 'true' }}
{%- endmacro %}
