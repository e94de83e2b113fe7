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

{% macro erfc(x) -%}
    {#- The complementary error function of a number that isn't negative: erfc(z / sqrt(2)) is how often chance alone
        is as far from 0 as a standard normal z, on either side. -#}
    {{ return(adapter.dispatch('erfc')(x)) }}
{%- endmacro %}

{% macro postgres__erfc(x) -%}
    erfc(cast({{ x }} as double precision))
{%- endmacro %}

{% macro spark__erfc(x) -%}
    {#- It has none: a series whose terms are all positive, off by 1e-15; 0 from 6 on, where it is 2e-17. -#}
    case
        when {{ x }} >= 6 then 0e0
        else aggregate(
            sequence(1, 200),
            named_struct(
                'twice', 2 * power(cast({{ x }} as double), 2), 'term', cast({{ x }} as double),
                'total', cast({{ x }} as double)
            ),
            (sum, n) -> named_struct(
                'twice', sum.twice, 'term', sum.term * sum.twice / (2 * n + 1),
                'total', sum.total + sum.term * sum.twice / (2 * n + 1)
            ),
            sum -> 1 - 2 / sqrt(pi()) * exp(-sum.twice / 2) * sum.total
        )
    end
{%- endmacro %}
