{% macro is_beyond_chance(events, days, earlier_events, earlier_days) -%}
    {#- Whether two spans differ by more events a day than chance explains: by more than three standard errors, if
        events come independently. One change in 370 does so by chance. Null where there is nothing to compare. Both
        sides are multiplied by the days, so that they are whole numbers. -#}
    power(
        cast({{ events }} as {{ ratio_type() }}) * {{ earlier_days }}
        - cast({{ earlier_events }} as {{ ratio_type() }}) * {{ days }}, 2
    )
    > 9 * (
        cast({{ events }} as {{ ratio_type() }}) * {{ earlier_days }} * {{ earlier_days }}
        + cast({{ earlier_events }} as {{ ratio_type() }}) * {{ days }} * {{ days }}
    )
{%- endmacro %}
