{#- The figures of each period of a feed or a model: one row a period and a measure. A feed's are read from the files of
    the periods that are asked for, and its rows are counted by the ledger; nothing older is read. -#}

{% macro watched_periods(watch, as_of) -%}
    {#- CTEs: `files` of a feed; `span` of its periods, as far as `as_of`, a date in SQL; `periods`, without a gap. -#}
    {%- set period = "cast(date_trunc('" ~ watch.every ~ "', " ~ watch.date ~ ") as date)" -%}
    {%- if watch.source %}
    files as (
        select
            file_id,
            bucket,
            key,
            delivered_count,
            {{ period }} as period
        from {{ loader_ledger() }}
        where
            schema_name = '{{ watch.source.schema }}'
            and table_name = '{{ watch.source.identifier }}'
            and status = 'loaded'
            {{ 'and ' ~ period ~ ' <= ' ~ as_of if as_of }}
    ),
    {%- endif %}

    span as (
        select
            first_period,
            newest_period,
            cast(newest_period - interval '{{ watch.newest_incomplete }} {{ watch.every }}' as date) as last_period
        from (
            select
                {%- if watch.source %}
                min(period) as first_period,
                max(period) as newest_period
            from files
                {%- else %}
                cast(date_trunc('{{ watch.every }}', min({{ watch.date }})) as date) as first_period,
                cast(date_trunc('{{ watch.every }}', max({{ watch.date }})) as date) as newest_period
            from {{ watch.relation }}
            {{ 'where ' ~ watch.date ~ ' <= ' ~ as_of if as_of }}
                {%- endif %}
        ) as ends
    ),

    periods as (
        select cast(period as date) as period
        from span
        cross join lateral generate_series(
            greatest(
                first_period,
                last_period - interval '{{ watch.past }}' - {{ watch.judged - 1 }} * interval '{{ watch.step }}'
            ),
            last_period,
            interval '{{ watch.step }}'
        ) as series (period)
    ),

    span_rows as (
        {%- if watch.source and (watch.figures != ['rows'] or watch.members) %}
        select
            found.*,
            files.period
        from {{ watch.relation }} as found
        inner join files on found._file_id = files.file_id
        -- an array, which PostgreSQL knows before it begins, so that it uses the BRIN index on _file_id
        where found._file_id = any(array(select file_id from files where period in (select period from periods)))
        {%- elif watch.source %}
        select period from files where false
        {%- else %}
        select
            found.*,
            {{ period }} as period
        from {{ watch.relation }} as found
        where
            {{ watch.date }} >= (select min(period) from periods)
            and {{ watch.date }} < (select max(period) + interval '{{ watch.step }}' from periods)
        {%- endif %}
    )
{%- endmacro %}

{% macro watched_figures(watch) -%}
    {#- CTE `figures`. A period without rows has 0 rows, and of nothing else a figure. -#}
    counted as (
        select
            period,
            array[{% for measure in watch.figures %}{{ measured(measure) }}{{ ', ' if not loop.last }}{% endfor %}]
                as counts
        from span_rows
        group by period
    ),
    {%- if watch.source %}

    delivered as (
        select
            period,
            sum(delivered_count) as rows_count
        from files
        group by period
    ),
    {%- endif %}

    figures as (
        select
            periods.period,
            measures.measure,
            case
                when measures.measure <> 'rows' then counted.counts[measures.position]
                else coalesce({{ 'delivered.rows_count' if watch.source else 'counted.counts[measures.position]' }}, 0)
            end as figure,
            {{ is_unusual_day(watch, 'periods.period') }} as is_unusual,
            {{ watch.season | replace('period', 'periods.period') }} as season
        from periods
        cross join unnest(cast(array[{% for measure in watch.figures %}{{ quoted(measure) }}
            {{- ', ' if not loop.last }}{% endfor %}] as text[])) with ordinality as measures (measure, position)
        left join counted on periods.period = counted.period
        {%- if watch.source %}
        left join delivered on periods.period = delivered.period
        {%- endif %}
    )
{%- endmacro %}

{% macro is_unusual_day(watch, period) -%}
    {#- A condition: the period is declared as unusual. -#}
    {%- for days in watch.unusual %}{{ ' or ' if not loop.first else '(' }}{{ period }} <@ {{ days }}{% endfor -%}
    {{ ')' if watch.unusual else 'false' }}
{%- endmacro %}

{% macro quoted(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro measured(measure) -%}
    {#- The SQL of a measure; it is what it says, but for `rows` and `share(condition)`. -#}
    {%- set share = modules.re.match('share\\((.+)\\)$', measure) -%}
    {%- if measure == 'rows' -%}cast(count(*) as double precision)
    {%- elif share -%}avg(case when {{ share.group(1) }} then 1.0 else 0.0 end)
    {%- else -%}cast({{ measure }} as double precision){%- endif -%}
{%- endmacro %}
