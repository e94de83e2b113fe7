{#- Subject areas: each is there or not by the variable of its name. models/README.md lists them. -#}

{% macro areas() -%}
    {#- The areas, each with the one it needs, if any. -#}
    {{ return({
        'promotions': none, 'loyalty': none, 'coupons': 'loyalty', 'ledger': none, 'control_totals': 'ledger'
    }) }}
{%- endmacro %}

{% macro check_areas() -%}
    {#- Stops dbt if an area is on without the one it needs. -#}
    {%- for area, needed in areas().items() -%}
        {%- if var(area) is not boolean -%}
            {{ exceptions.raise_compiler_error(
                "Variable " ~ area ~ " is " ~ var(area) ~ ": a subject area is true (on) or false (off)."
            ) }}
        {%- elif needed and var(area) and not var(needed) -%}
            {{ exceptions.raise_compiler_error(
                "Subject area " ~ area ~ " needs " ~ needed ~ ": set variable " ~ area ~ " to false, or " ~ needed
                ~ " to true."
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro area_is_on(area) -%}
    {#- Whether an area is on. As every model of the core asks it, wrong combinations are refused while dbt parses. -#}
    {%- do check_areas() -%}
    {{ return(var(area)) }}
{%- endmacro %}

{% macro area_ref(area, model, columns) -%}
    {#- A model of an area, for a model that is there without it: ref(), or no rows of the columns that are read. -#}
    {%- if area_is_on(area) -%}
        {{ return(ref(model)) }}
    {%- endif -%}
    {%- set nulls = [] -%}
    {%- for column, type in columns.items() -%}
        {%- do nulls.append("cast(null as " ~ engine_type(type) ~ ") as " ~ column) -%}
    {%- endfor -%}
    {{ return("(select " ~ nulls | join(", ") ~ " where false) as area_is_off") }}
{%- endmacro %}

{% macro area_value(area, expression, type) -%}
    {#- A column that an area fills: nobody knows its value, so null, without the area. -#}
    cast({{ expression if area_is_on(area) else 'null' }} as {{ engine_type(type) }})
{%- endmacro %}
