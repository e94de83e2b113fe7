{% macro postgres__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {#- In a build, a data test that passed on the very rows that are there now isn't run again: it passes at once.
        `dbt test` and `--full-refresh` run every test. What passes on which rows is remembered, for publishing. -#}
    {%- set is_build = flags.WHICH in ('build', 'retry') -%}
    {%- set may_pass = is_build and not flags.FULL_REFRESH and not should_store_failures() -%}
    {%- set is_remembered = is_build or flags.WHICH == 'test' and not should_store_failures() and has_state() -%}
    {%- if not is_remembered or model.resource_type != 'test' -%}
        {{ return(default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit)) }}
    {%- endif -%}
    {%- set now = what_makes_it(model_inputs(model)) -%}
    {%- set ours = "test_name = '" ~ model.unique_id ~ "'" -%}
    {%- set passed = run_query(
        "select 1 from " ~ state_table('tests') ~ " where " ~ ours ~ " and has_passed and inputs_hash = '"
        ~ now.inputs_hash ~ "'"
    ).rows -%}
    {%- if passed and now.is_known and may_pass -%}
        select 0 as failures, false as should_warn, false as should_error
    {%- else -%}
        {%- call statement('begin', auto_begin=true) -%}select 1{%- endcall -%}
        {%- do replace_state('tests', ours, {
            'test_name': "'" ~ model.unique_id ~ "'", 'inputs_hash': "'" ~ now.inputs_hash ~ "'", 'has_passed': 'false',
            'may_publish': 'false', 'seen': contents_seen(model),
        }) -%}
        {%- do adapter.commit() -%} {#- dbt ends a test's transaction with a rollback -#}
        {{ default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) }}
    {%- endif -%}
{%- endmacro %}

{% macro remember_passed_tests(results) -%}
    {#- On run end: which data tests passed on the rows that they saw when they ran; one that warns is due again, but
        doesn't keep marts from being published. -#}
    {%- set passed = ["''"] -%}
    {%- set warned = ["''"] -%}
    {%- for result in results if result.node.resource_type == 'test' and result.status in ('pass', 'warn') -%}
        {%- do (passed if result.status == 'pass' else warned).append("'" ~ result.node.unique_id ~ "'") -%}
    {%- endfor -%}
    {%- if execute and flags.WHICH in ('build', 'retry', 'test') and has_state() -%}
        {%- do run_query(
            "update " ~ state_table('tests') ~ " set may_publish = true, has_passed = test_name in ("
            ~ passed | join(', ') ~ ") where test_name in (" ~ (passed + warned) | join(', ') ~ ")"
        ) -%}
    {%- endif -%}
{%- endmacro %}
