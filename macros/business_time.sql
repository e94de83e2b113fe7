{% macro business_time(timestamp) -%}
    {#- The wall clock of the stores (var business_timezone) at a point in time. -#}
    {{ return(adapter.dispatch('business_time')(timestamp)) }}
{%- endmacro %}

{% macro postgres__business_time(timestamp) -%}
    ({{ timestamp }} at time zone '{{ var("business_timezone") }}')
{%- endmacro %}

{% macro spark__business_time(timestamp) -%} {#- the session's time is UTC -#}
    from_utc_timestamp({{ timestamp }}, '{{ var("business_timezone") }}')
{%- endmacro %}
