{% macro fiscal_year_start(year) -%}
    {#- First day of the fiscal year that begins in, or nearest to the first of, a month of a calendar year. -#}
    {%- set first = "cast(" ~ year ~ " || '-" ~ '%02d' % var('fiscal_year_start_month') ~ "-01' as date)" -%}
    {%- if var('fiscal_calendar') == 'months' -%}
        {{ first }}
    {%- else -%}
        cast({{ dbt.date_trunc('week', add_days(first, 3)) }} as date)
    {%- endif -%}
{%- endmacro %}

{% macro fiscal_period_number(date, month_number, year_start_date) -%}
    {#- Number of a day's period in its fiscal year, from 1: months, or 4, 4 and 5 weeks (4-5-4, 5-4-4) a quarter. A
        53rd week belongs to the last period. -#}
    {%- if var('fiscal_calendar') == 'months' -%}
        mod({{ month_number }} - {{ var('fiscal_year_start_month') }} + 12, 12) + 1
    {%- else -%}
        {%- set weeks = var('fiscal_calendar').split('-') | map('int') | list -%}
        {%- if weeks | sum != 13 or weeks | length != 3 -%}
            {{ exceptions.raise_compiler_error(
                "variable fiscal_calendar is " ~ var('fiscal_calendar') ~ ": it may be months, 4-4-5, 4-5-4 or 5-4-4"
            ) }}
        {%- endif -%}
        {%- set week = whole_quotient(dbt.datediff(year_start_date, date, 'day'), 7) -%}
        {%- set quarter = 'least(' ~ whole_quotient(week, 13) ~ ', 3)' %}
        {{ quarter }} * 3
        + case
            when {{ week }} - 13 * {{ quarter }} < {{ weeks[0] }} then 1
            when {{ week }} - 13 * {{ quarter }} < {{ weeks[0] + weeks[1] }} then 2
            else 3
        end
    {%- endif -%}
{%- endmacro %}
