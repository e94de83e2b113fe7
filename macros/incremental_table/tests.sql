{% materialization test, adapter='postgres' -%}
    {#- In a build, a data test that passed on the very rows that are there now isn't run again: it passes at once. One
        that is narrowed (see narrowing) looks at those partitions or files of an input that it hasn't passed on.
        `dbt test` and `--full-refresh` run every test on everything. What passes on which rows is remembered, for
        publishing. In place of dbt's own. -#}
    {%- set is_build = flags.WHICH == 'build' -%}
    {%- set may_pass = is_build and not flags.FULL_REFRESH and not should_store_failures() -%}
    {%- if not is_build and (flags.WHICH != 'test' or should_store_failures() or not has_state()) -%}
        {{ return(dbt.materialization_test_default()) }}
    {%- endif -%}
    {%- set inputs = model_inputs(model) -%}
    {%- set narrowed = narrowing(inputs) -%}
    {%- set ours = "test_name = '" ~ model.unique_id ~ "'" -%}
    {%- set now = what_makes_it(inputs, 'tests', ours, narrowed.files if narrowed else []) -%}
    {%- set has_passed = may_pass and now.remembered['has_passed'] -%}
    {%- set is_same = now.is_known and may_pass and now.remembered['inputs_hash'] == now.inputs_hash -%}
    {%- set due = due_pieces(narrowed, ours) if narrowed and is_same and not (has_passed and now.is_same) else [] -%}
    {%- if is_same and has_passed and due is not none and not due -%}
        {%- if not now.is_same -%} {#- what is gone needs no test -#}
            {%- do in_transaction("update " ~ state_table('tests') ~ " set seen = '" ~ now.seen ~ "' where " ~ ours) -%}
        {%- endif -%}
        {%- do store_raw_result(
            'main', message='PASSED', code='PASSED', rows_affected=0,
            agate_table=now.found.select(['failures', 'should_warn', 'should_error'])
        ) -%}
        {{ return({'relations': []}) }}
    {%- endif -%}
    {%- call statement('begin', auto_begin=true) -%}select 1{%- endcall -%}
    {%- do replace_state('tests', ours, {
        'test_name': "'" ~ model.unique_id ~ "'", 'inputs_hash': "'" ~ now.inputs_hash ~ "'", 'has_passed': 'false',
        'may_publish': 'false', 'seen': "'" ~ now.seen ~ "'", 'run_id': "'" ~ invocation_id ~ "'",
    }) -%}
    {%- if narrowed -%}{%- do remember_due(narrowed, ours, due) -%}{%- endif -%}
    {%- do adapter.commit() -%} {#- dbt ends a test's transaction with a rollback -#}
    {%- if should_store_failures() -%}{{ return(dbt.materialization_test_default()) }}{%- endif -%}
    {%- call statement('main', fetch_result=true) -%}
        {{ get_test_sql(
            get_limit_subquery_sql(narrowed_test(sql, narrowed, due) if due else sql, config.get('limit')),
            config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none
        ) }}
    {%- endcall -%}
    {{ return({'relations': []}) }}
{%- endmaterialization %}

{% macro remember_passed_tests(results) -%}
    {#- On run end: which data tests passed on the rows that they saw when they ran; one that warns is due again, but
        doesn't keep marts from being published. One that another run began since, beside this one, is that run's. -#}
    {{ return(adapter.dispatch('remember_passed_tests')(results)) }}
{%- endmacro %}

{% macro postgres__remember_passed_tests(results) -%}
    {%- set passed = ["''"] -%}
    {%- set warned = ["''"] -%}
    {%- for result in results if result.node.resource_type == 'test' and result.status in ('pass', 'warn') -%}
        {%- do (passed if result.status == 'pass' else warned).append("'" ~ result.node.unique_id ~ "'") -%}
    {%- endfor -%}
    {%- if execute and flags.WHICH in ('build', 'test') and has_state() -%}
        {%- set ours = "run_id = '" ~ invocation_id ~ "' and test_name in (" -%}
        {%- do run_query(
            "update " ~ state_table('tests') ~ " set may_publish = true, has_passed = test_name in ("
            ~ passed | join(', ') ~ ") where " ~ ours ~ (passed + warned) | join(', ') ~ "); update "
            ~ state_table('tested_pieces') ~ " set has_passed = true where not has_passed and test_name in ("
            ~ "select test_name from " ~ state_table('tests') ~ " where " ~ ours ~ passed | join(', ') ~ "))"
        ) -%}
    {%- endif -%}
{%- endmacro %}
