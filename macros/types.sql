{#- Types are written as PostgreSQL calls them: in contracts, sources, seeds and variables. -#}

{% macro engine_type(type) -%}
    {#- What the engine calls a type. -#}
    {{ return(adapter.dispatch('engine_type')(type)) }}
{%- endmacro %}

{% macro default__engine_type(type) -%}
    {{ return(type) }}
{%- endmacro %}

{% macro spark__engine_type(type) -%}
    {%- set names = {
        'text': 'string', 'integer': 'int', 'double precision': 'double', 'timestamptz': 'timestamp',
        'timestamp': 'timestamp_ntz', 'numeric': ratio_type()
    } -%}
    {{ return(names.get(type, type)) }} {#- numeric(p, s) is one of its own names -#}
{%- endmacro %}

{% macro ratio_type() -%}
    {#- The type that quotients and what comes of them are computed in: numeric, exact to the last digit that anybody
        reads; on Spark double, for its decimals end at 38 digits and give up those after the point. -#}
    {{ return(adapter.dispatch('ratio_type')()) }}
{%- endmacro %}

{% macro default__ratio_type() -%}
    {{ return('numeric') }}
{%- endmacro %}

{% macro spark__ratio_type() -%}
    {{ return('double') }}
{%- endmacro %}

{% macro whole_quotient(dividend, divisor) -%}
    {#- How often one whole number goes into another: what is over is dropped, towards 0. -#}
    {{ return(adapter.dispatch('whole_quotient')(dividend, divisor)) }}
{%- endmacro %}

{% macro postgres__whole_quotient(dividend, divisor) -%}
    (({{ dividend }}) / {{ divisor }})
{%- endmacro %}

{% macro spark__whole_quotient(dividend, divisor) -%}
    cast(({{ dividend }}) div {{ divisor }} as int)
{%- endmacro %}
