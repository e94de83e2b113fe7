{% macro postgres__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {#- In a build, a data test that passed on the very rows that are there now isn't run again: it passes at once.
        `dbt test` and `--full-refresh` run every test. -#}
    {%- set is_build = flags.WHICH in ('build', 'retry') and not flags.FULL_REFRESH and not should_store_failures() -%}
    {%- if not is_build or model.resource_type != 'test' -%}
        {{ return(default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit)) }}
    {%- endif -%}
    {%- set now = what_makes_it(model_inputs(model)) -%}
    {%- set ours = "test_name = '" ~ model.unique_id ~ "'" -%}
    {%- set passed = run_query(
        "select 1 from " ~ state_table('tests') ~ " where " ~ ours ~ " and has_passed and inputs_hash = '"
        ~ now.inputs_hash ~ "'"
    ).rows -%}
    {%- if passed and now.is_known -%}
        select 0 as failures, false as should_warn, false as should_error
    {%- else -%}
        {%- call statement('begin', auto_begin=true) -%}select 1{%- endcall -%}
        {%- do replace_state('tests', ours, {
            'test_name': "'" ~ model.unique_id ~ "'", 'inputs_hash': "'" ~ now.inputs_hash ~ "'", 'has_passed': 'false',
        }) -%}
        {%- do adapter.commit() -%} {#- dbt ends a test's transaction with a rollback -#}
        {{ default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) }}
    {%- endif -%}
{%- endmacro %}

{% macro remember_passed_tests(results) -%}
    {#- On run end: which data tests passed on the rows that they saw when they ran. -#}
    {%- set passed = [] -%}
    {%- for result in results if result.node.resource_type == 'test' and result.status == 'pass' -%}
        {%- do passed.append("'" ~ result.node.unique_id ~ "'") -%}
    {%- endfor -%}
    {%- if passed and flags.WHICH in ('build', 'retry') %}
        update {{ state_table('tests') }} set has_passed = true where test_name in ({{ passed | join(', ') }})
    {%- endif -%}
{%- endmacro %}
