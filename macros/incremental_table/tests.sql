{% macro postgres__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {#- In a build, a data test that passed on the very rows that are there now isn't run again: it passes at once. One
        that is narrowed (see narrowing) looks at those partitions or files of an input that it hasn't passed on.
        `dbt test` and `--full-refresh` run every test on everything. What passes on which rows is remembered, for
        publishing. -#}
    {%- set is_build = flags.WHICH in ('build', 'retry') -%}
    {%- set may_pass = is_build and not flags.FULL_REFRESH and not should_store_failures() -%}
    {%- set is_remembered = is_build or flags.WHICH == 'test' and not should_store_failures() and has_state() -%}
    {%- if not is_remembered or model.resource_type != 'test' -%}
        {{ return(default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit)) }}
    {%- endif -%}
    {%- set inputs = model_inputs(model) -%}
    {%- set narrowed = narrowing(inputs) -%}
    {%- set now = what_makes_it(inputs) -%}
    {%- set ours = "test_name = '" ~ model.unique_id ~ "'" -%}
    {%- set row = run_query(
        "select coalesce(max(inputs_hash), ''), coalesce(bool_or(has_passed), false), coalesce(max(seen), '') = "
        ~ contents_seen(model) ~ ", " ~ named_session() ~ " from " ~ state_table('tests') ~ " where " ~ ours
    ).rows[0] -%}
    {%- set is_same, has_passed = now.is_known and may_pass and row[0] == now.inputs_hash, row[1] -%}
    {%- set due = due_pieces(narrowed, ours) if narrowed and is_same else [] -%}
    {%- if is_same and has_passed and due is not none and not due -%}
        {%- if not row[2] -%} {#- what is gone needs no test -#}
            {%- do in_transaction(
                "update " ~ state_table('tests') ~ " set seen = " ~ contents_seen(model) ~ " where " ~ ours
            ) -%}
        {%- endif -%}
        select 0 as failures, false as should_warn, false as should_error
    {%- else -%}
        {%- call statement('begin', auto_begin=true) -%}select 1{%- endcall -%}
        {%- do replace_state('tests', ours, {
            'test_name': "'" ~ model.unique_id ~ "'", 'inputs_hash': "'" ~ now.inputs_hash ~ "'", 'has_passed': 'false',
            'may_publish': 'false', 'seen': contents_seen(model),
        }) -%}
        {%- if narrowed -%}{%- do remember_due(narrowed, ours, due) -%}{%- endif -%}
        {%- do adapter.commit() -%} {#- dbt ends a test's transaction with a rollback -#}
        {%- set sql = narrowed_test(main_sql, narrowed, due) if due else main_sql -%}
        {{ default__get_test_sql(sql, fail_calc, warn_if, error_if, limit) }}
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
            ~ passed | join(', ') ~ ") where test_name in (" ~ (passed + warned) | join(', ') ~ "); update "
            ~ state_table('tested_pieces') ~ " set has_passed = true where not has_passed and test_name in ("
            ~ passed | join(', ') ~ ")"
        ) -%}
    {%- endif -%}
{%- endmacro %}
