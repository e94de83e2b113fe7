{#- In place of dbt-spark's own, which refuse null, know no dates and go by way of seconds. -#}

{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- if datepart in ('day', 'week') -%}
        date_add({{ from_date_or_timestamp }}, cast({{ 7 if datepart == 'week' else 1 }} * ({{ interval }}) as int))
    {%- elif datepart in ('month', 'quarter', 'year') -%}
        {%- set months = {'month': 1, 'quarter': 3, 'year': 12}[datepart] -%}
        add_months({{ from_date_or_timestamp }}, cast({{ months }} * ({{ interval }}) as int))
    {%- else -%}
        {{ exceptions.raise_compiler_error('dateadd by ' ~ datepart ~ ' is not written for Spark') }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        datediff({{ second_date }}, {{ first_date }})
    {%- elif datepart == 'month' -%}
        (
            12 * (year({{ second_date }}) - year({{ first_date }})) + month({{ second_date }}) - month({{ first_date }})
        )
    {%- else -%}
        {{ exceptions.raise_compiler_error('datediff by ' ~ datepart ~ ' is not written for Spark') }}
    {%- endif -%}
{%- endmacro %}
