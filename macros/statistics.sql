{#- What engines have no function for, or each one of its own name. -#}

{% macro two_sided_p_value(z) -%}
    {#- How often chance alone is as far from 0 as a standard normal z, on either side; null stays null. Abramowitz and
        Stegun 26.2.17, off by less than 0.0000002, and 0 beyond 12. -#}
    {%- set t = '(1 / (1 + 0.2316419 * abs(' ~ z ~ ')))' -%}
    case
        when abs({{ z }}) <= 12
            then
                2 * 0.3989422804 * exp(-power({{ z }}, 2) / 2) * {{ t }} * (
                    0.319381530 + {{ t }} * (-0.356563782 + {{ t }} * (
                        1.781477937 + {{ t }} * (-1.821255978 + {{ t }} * 1.330274429)
                    ))
                )
        when abs({{ z }}) > 12 then 0
    end
{%- endmacro %}

{% macro wilson_bound(hits, trials, sign) -%}
    {#- An end of Wilson's 95 % interval of a rate; null without trials; more hits than trials are no
        error. 3.8416 is 1.96 squared. -#}
    (
        {{ hits }} + 3.8416 / 2 {{ sign }} 1.96 * sqrt(
            {{ hits }} * greatest({{ trials }} - {{ hits }}, 0) / nullif(cast({{ trials }} as {{ ratio_type() }}), 0)
            + 3.8416 / 4
        )
    ) / ({{ trials }} + 3.8416)
{%- endmacro %}
