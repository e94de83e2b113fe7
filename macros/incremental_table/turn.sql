{#- One build of a target's schemas at a time. dbt closes the connections of its hooks, so no lock of a hook's lasts as
    long as a build: a row says whose turn it is, and counts while a session of that run is there. Sessions are known by
    the comment that begins their statements, `query-comment` in dbt_project.yml, and by their application's name:
    statements of another login aren't shown, nor its own to a login that acts as its group. The name isn't the
    profile's, for dbt parses the whole project again after each change of its profile. -#}

{% macro wait_for_turn(schema) -%}
    {#- Stop dbt if another run builds what hangs on this state now. -#}
    {{ return(adapter.dispatch('wait_for_turn')(schema)) }}
{%- endmacro %}

{% macro postgres__wait_for_turn(schema) -%}
    {%- do run_query("select pg_advisory_lock(hashtextextended('" ~ schema ~ "', 0))") -%} {#- until take_turn -#}
    {%- do run_query(
        "create schema if not exists " ~ schema ~ "; create table if not exists " ~ schema ~ ".builds "
        ~ "(run_id text, started_at timestamptz, started_by text, command text, primary key (run_id))"
    ) -%}
    {%- set others = run_query(
        "select run_id, started_by, to_char(started_at, 'HH24:MI:SS TZ'), command from " ~ schema ~ ".builds"
    ).rows -%}
    {%- for run_id, started_by, started_at, command in others -%}
        {%- set seen = namespace(times=0) -%}
        {#- a run has none between nodes, nor for most of one with nothing new; a killed one's last ends in a second -#}
        {%- for attempt in range(100) if not seen.times -%}
            {%- set is_there = run_query(
                "select pg_stat_clear_snapshot(), pg_sleep(0.05), exists (select 1 from pg_stat_activity "
                ~ "where pid <> pg_backend_pid() and (starts_with(query, '/* dbt " ~ run_id ~ "')"
                ~ " or application_name = 'dbt " ~ run_id ~ "'))"
            ).rows[0][2] -%}
            {%- if is_there and attempt > 27 -%}{%- set seen.times = 1 -%}{%- endif -%}
        {%- endfor -%}
        {%- if seen.times -%}
            {{ exceptions.raise_compiler_error(
                started_by ~ " builds " ~ target.schema ~ " since " ~ started_at ~ " (dbt " ~ command ~ "): wait for "
                ~ "its end, or build into a schema of your own (DBT_SCHEMA)"
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro named_session() -%}
    {#- An expression that names the session by its run. -#}
    {{ return(adapter.dispatch('named_session')()) }}
{%- endmacro %}

{% macro postgres__named_session() -%}
    set_config('application_name', 'dbt {{ invocation_id }}', false)
{%- endmacro %}

{% macro take_turn(schema) -%}
    {#- SQL: it is this run's turn. -#}
    {{ return(adapter.dispatch('take_turn')(schema)) }}
{%- endmacro %}

{% macro postgres__take_turn(schema) -%}
    delete from {{ schema }}.builds;
    insert into {{ schema }}.builds values (
        '{{ invocation_id }}', clock_timestamp(), '{{ (env_var("USER", "") or target.user) | replace("'", "''") }}',
        '{{ flags.WHICH }}'
    );
    select pg_advisory_unlock(hashtextextended('{{ schema }}', 0));
{%- endmacro %}

{% macro end_turn() -%}
    {#- On run end. -#}
    {{ return(adapter.dispatch('end_turn')()) }}
{%- endmacro %}

{% macro postgres__end_turn() -%}
    {%- if execute and flags.WHICH in building_commands() -%}
        delete from {{ state_table('builds') }} where run_id = '{{ invocation_id }}'
    {%- endif -%}
{%- endmacro %}

{% macro building_commands() -%}
    {#- Commands of dbt that make models; `dbt retry` is the one that it repeats. -#}
    {{ return(('build', 'run')) }}
{%- endmacro %}
