{% macro retail_week_start_date(week_number) -%}
    {#- Monday of one of the source's retail weeks; week 1 begins on var first_week_start_date. -#}
    {%- set first_week_start_date = "cast('" ~ var('first_week_start_date') ~ "' as date)" -%}
    {{ add_days(first_week_start_date, '7 * (' ~ week_number ~ ' - 1)') }}
{%- endmacro %}
