{% macro explain_failures(results) -%}
    {#- At the end of a run, says what a test that failed or warned found: tests under tests/finance return a column
        `message` (their meta names it), and its first values are logged, so that the journal, the period and the amount
        stand in the output and not only in a query. -#}
    {%- if execute -%}
        {%- for result in results if result.node.resource_type == 'test' and result.status in ('fail', 'warn') -%}
            {%- set column = result.node.config.meta.get('explained_by') -%}
            {%- if column -%}
                {%- set rows = run_query(
                    'select ' ~ column ~ ' from (' ~ result.node.compiled_code ~ ') as failures order by 1 limit 5'
                ) -%}
                {%- for row in rows -%}
                    {%- do print(result.node.name ~ ': ' ~ row[0]) -%}
                {%- endfor -%}
                {%- if result.failures > 5 -%}
                    {%- do print(result.node.name ~ ': and ' ~ (result.failures - 5) ~ ' more') -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
