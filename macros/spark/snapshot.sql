{% materialization snapshot, adapter='spark' -%}
    {#- dbt-spark's own merges, which Parquet tables can't. The same states without: they are written anew, small as
        they are, into a table beside those that are there, and then a view is put on it in one step, so that a killed
        build leaves all of them as they were. Strategy check, and rows that are gone are invalidated. -#}
    {%- if config.get('strategy') != 'check' or config.get('hard_deletes') != 'invalidate' -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ': on Spark a snapshot has strategy check and hard_deletes invalidate'
        ) }}
    {%- endif -%}
    {%- set target = api.Relation.create(schema=model.schema, identifier=model.alias, type='view') -%}
    {%- set written = api.Relation.create(
        schema=model.schema, identifier=model.alias ~ '__' ~ build_id(), type='table'
    ) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set old = load_cached_relation(target) -%}
    {%- set columns = get_columns_in_query(sql) -%}
    {%- if old and (shows_a_part() or not run_query(
        "select 1 from (" ~ compared_states(old, columns) ~ ") as compared where is_changed limit 1"
    ).rows) -%}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {%- else -%}
        {%- call statement('main') -%}
            create table {{ written }} using parquet as select /*+ coalesce(1) */ * from (
                {{ next_states(old, columns) }}
            ) as states
        {%- endcall -%}
        {%- set described = [] -%}
        {%- for column in adapter.get_columns_in_relation(written) -%}
            {%- set description = model.columns[column.name].description if column.name in model.columns else '' -%}
            {%- do described.append(adapter.quote(column.name) ~ spark_comment(description)) -%}
        {%- endfor -%}
        {%- do run_query(
            "create or replace view " ~ target ~ " (" ~ described | join(', ') ~ ") comment '"
            ~ spark_text(model.description) ~ "' as select * from " ~ written
        ) -%}
        {%- for row in run_query("show tables in " ~ model.schema ~ " like '" ~ model.alias ~ "__*'").rows -%}
            {%- if row[1] != written.identifier -%}
                {%- do run_query("drop table if exists " ~ model.schema ~ "." ~ row[1]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}

{% macro compared_states(old, columns) -%}
    {#- The current states beside the source's rows, and whether they differ; whichever there isn't, is null. -#}
    {%- set keys = config.get('unique_key') -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set checked = columns if config.get('check_cols') == 'all' else config.get('check_cols') -%}
    {%- set same, changed = [], [] -%}
    {%- for key in keys -%}{%- do same.append('current_states.' ~ key ~ ' = source.' ~ key) -%}{%- endfor -%}
    {%- for column in checked -%}
        {%- do changed.append('current_states.' ~ column ~ ' is distinct from source.' ~ column) -%}
    {%- endfor -%}
    select
        current_states.*,
        {%- for column in columns %}
        source.{{ column }} as source_{{ column }},
        {%- endfor %}
        source.{{ keys[0] }} is not null as is_there,
        current_states.dbt_scd_id is not null as was_there,
        current_states.dbt_scd_id is null or source.{{ keys[0] }} is null or {{ changed | join(' or ') }} as is_changed
    from (select * from {{ old }} where dbt_valid_to = {{ config.get('dbt_valid_to_current') }}) as current_states
    full join (
        {{ sql }}
    ) as source on {{ same | join(' and ') }}
{%- endmacro %}

{% macro next_states(old, columns) -%}
    {#- All states after this look at the source. -#}
    {%- set keys = config.get('unique_key') -%}
    {%- set now = "cast('" ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "' as timestamp)" -%}
    {%- set open_end = config.get('dbt_valid_to_current') -%}
    {%- set first = 'source_' if old else '' -%}
    {%- set scd = [] -%}
    {%- for key in ([keys] if keys is string else keys) -%}{%- do scd.append(first ~ key) -%}{%- endfor -%}
    {%- set new = [] -%}
    {%- for column in columns -%}{%- do new.append(first ~ column ~ ' as ' ~ column) -%}{%- endfor -%}
    {%- set states = ['dbt_scd_id', 'dbt_updated_at', 'dbt_valid_from', 'dbt_valid_to'] -%}
    {%- set gone, kept = [], [] -%}
    {%- if old -%}
        {%- set had = adapter.get_columns_in_relation(old) | map(attribute='name') | list -%}
        {%- for column in had if column not in columns + states -%}{%- do gone.append(column) -%}{%- endfor -%}
        {%- for column in columns -%}
            {%- do kept.append(column if column in had else 'null as ' ~ column) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set nulls = [] -%}
    {%- for column in gone -%}{%- do nulls.append('null as ' ~ column) -%}{%- endfor -%}
    select
        {{ (new + nulls) | join(', ') }},
        md5(concat_ws('|', {{ scd | join(', ') }}, {{ now }})) as dbt_scd_id,
        {{ now }} as dbt_updated_at,
        {{ now }} as dbt_valid_from,
        {{ open_end }} as dbt_valid_to
    from (
        {{ compared_states(old, columns) if old else sql }}
    ) as compared
    {%- if old %}
    where is_changed and is_there
    union all
    select
        {{ (kept + gone) | join(', ') }}, dbt_scd_id, dbt_updated_at, dbt_valid_from,
        case when is_changed then {{ now }} else dbt_valid_to end as dbt_valid_to
    from (
        {{ compared_states(old, columns) }}
    ) as compared
    where was_there
    union all
    select
        {{ (kept + gone) | join(', ') }}, dbt_scd_id, dbt_updated_at, dbt_valid_from, dbt_valid_to
    from {{ old }}
    where dbt_valid_to <> {{ open_end }}
    {%- endif %}
{%- endmacro %}
