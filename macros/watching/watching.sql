{% macro watched_rows(watch, as_of=none) -%}
    {#- A select: a row for each figure of the newest periods, with what is usual and a verdict; with `as_of`, a date in
        SQL, as if it were that day, and a row that says whether the next period is late. -#}
    with {{ watched_periods(watch, as_of) }},

    newest_periods as (
        select period
        from periods
        where period > (select last_period - {{ watch.judged }} * interval '{{ watch.step }}' from span)
    ),

    {{ watched_figures(watch) }},

    {{ watched_bands(watch) }},

    {{ watched_members(watch) }}
    {{ watched_freshness(watch, as_of) if as_of }}
    rows_found as (
        select
            period,
            measure,
            figure,
            middle as usual,
            case when measure = 'rows' or measure like 'share(%' then greatest(middle - half_band, 0)
                else middle - half_band end as low,
            middle + half_band as high,
            figures_count as past_count,
            cast(null as text) as members,
            case
                when is_unusual then 'declared'
                when figures_count < {{ watch.at_least }} then 'not enough history'
                when figure is null then 'nothing to measure'
                when abs(figure - middle) > half_band or (measure = 'rows' and figure = 0 and least > 0) then 'unusual'
                else 'as usual'
            end as verdict
        from judged
        {%- for column in watch.members %}
        union all
        select
            period,
            measure,
            absent_count,
            0,
            0,
            0,
            past_count,
            members,
            case
                when {{ is_unusual_day(watch, 'period') }} then 'declared'
                when past_count < {{ watch.at_least * (7 if watch.every == 'day' else 1) }} then 'not enough history'
                when absent_count > 0 then 'unusual'
                else 'as usual'
            end
        from absent_{{ loop.index }}
        {%- endfor %}
        {%- if as_of %}
        union all
        select * from freshness
        {%- endif %}
    )

    select
        '{{ watch.name }}' as watched,
        '{{ 'feed' if watch.source else 'mart' }}' as kind,
        '{{ watch.every }}' as every,
        rows_found.period,
        rows_found.measure,
        rows_found.figure,
        rows_found.usual,
        rows_found.low,
        rows_found.high,
        rows_found.past_count,
        rows_found.members,
        rows_found.verdict,
        {%- if watch.source %}
        array(
            select 's3://' || files.bucket || '/' || files.key from files
            where rows_found.period = files.period and rows_found.measure <> 'freshness'
            order by files.key
        )
        {%- else %}
        cast(array[] as text[])
        {%- endif %} as files
    from rows_found
{%- endmacro %}

{% macro watched_freshness(watch, as_of) -%}
    {#- CTE `freshness`: the day after which the next period is late. Periods follow each other as they mostly did from
        this weekday on, and a period is there when the next one is over; of one that comes in parts,
        its first day is. -#}
    gaps as (
        select
            period,
            lead(period) over (order by period asc nulls last) - period as days,
            {{ watch.season }} as season
        from (select distinct period from {{ 'files' if watch.source else 'span_rows' }}) as seen
        where period in (select period from periods) and not {{ is_unusual_day(watch, 'period') }}
    ),

    freshness as (
        select
            newest_period as period,
            'freshness' as measure,
            cast({{ as_of }} - newest_period as double precision) as figure,
            gap as usual,
            0 as low,
            last_day - newest_period as high,
            gaps_count as past_count,
            cast(null as text) as members,
            case
                when gaps_count < {{ watch.at_least }} then 'not enough history'
                when {{ as_of }} > last_day then 'late'
                else 'as usual'
            end as verdict
        from (
            select
                span.newest_period,
                count(gaps.days) as gaps_count,
                percentile_cont(0.5) within group (order by gaps.days) as gap,
                cast(
                    span.newest_period
                    + make_interval(days => cast(percentile_cont(0.5) within group (order by gaps.days) as integer))
                    + interval '{{ '1 day' if watch.newest_incomplete else watch.step }}' as date
                ) + {{ watch.grace_days }} as last_day
            from span
            left join gaps on {{ watch.season | replace('period', 'span.newest_period') }} = gaps.season
            where span.newest_period is not null
            group by span.newest_period
        ) as found
    ),
{%- endmacro %}

{% macro watched_sentences(watch, rows) -%}
    {#- A select of watched_rows, with texts for people: the figure, what is expected, on what that rests, and all of it
        in a sentence with the files. -#}
    select
        *,
        watched || ' ' || period || ': ' || measure || ' is ' || shown_figure || ', expected ' || expected
        || ' (' || past || ')' || case when members is not null then '; missing: ' || left(members, 200) else '' end
        || case when cardinality(files) > 0 then '; ' || array_to_string(files[1:3], ', ') else '' end
        || case when cardinality(files) > 3 then ' and ' || cardinality(files) - 3 || ' more' else '' end as message
    from (
        select
            *,
            coalesce({{ shown_figure('figure') }}, 'null') as shown_figure,
            case
                when high is null then 'nothing yet'
                when measure = 'freshness' then 'up to ' || {{ shown_figure('high') }}
                when low = high then {{ shown_figure('low') }}
                else {{ shown_figure('low') }} || ' to ' || {{ shown_figure('high') }}
            end as expected,
            past_count || ' ' || {% if watch.every == 'day' -%}
            case when measure like 'members(%' then 'day' else trim(to_char(period, 'Day')) end
            {%- else -%}'{{ watch.every }}'{%- endif %}
            || case when past_count = 1 then '' else 's' end as past
        from ({{ rows }}) as figures
    ) as shown
{%- endmacro %}

{% macro shown_figure(figure) -%}
    {#- A figure as people read it; null of null. -#}
    case
        when measure = 'freshness' then {{ figure }} || case when {{ figure }} = 1 then ' day' else ' days' end
        when measure like 'share(%' then to_char(100 * {{ figure }}, 'FM990.0') || ' %'
        when abs({{ figure }}) < 100 and {{ figure }} <> round({{ figure }}) then to_char({{ figure }}, 'FM990.00')
        else to_char({{ figure }}, 'FM999,999,999,999,990')
    end
{%- endmacro %}

{% macro anomalies() -%}
    {#- The SQL of the test that is run: figures that are strange, each with a message. It asks no clock. -#}
    {%- set watch = watched_of(model) %}
    select *
    from ({{ watched_sentences(watch, watched_rows(watch)) }}) as found
    where verdict = 'unusual'
{%- endmacro %}

{% macro watch(as_of=none) -%}
    {#- What `journey watch` and the pages ask: prints a line of JSON for each figure that is watched. -#}
    {%- set day = "date '" ~ as_of ~ "'" if as_of else none -%}
    {%- set tests = graph.nodes.values() | selectattr('resource_type', 'equalto', 'test') | sort(attribute='name') -%}
    {#- dbt keeps the test of a mart that is switched off, disabled -#}
    {%- for node in tests if node.config.enabled and node.get('test_metadata', {}).get('name') == 'no_anomalies' -%}
        {%- set watch = watched_of(node) -%}
        {%- set is_there = run_query("select to_regclass('" ~ watch.relation ~ "') is not null").rows[0][0] -%}
        {%- set found = run_query(
            'select cast(to_json(found) as text) from ('
            ~ watched_sentences(watch, watched_rows(watch, day))
            ~ ') as found order by found.period, found.measure'
        ).rows if is_there else [] -%}
        {%- for row in found -%}{%- do print(row[0]) -%}{%- endfor -%}
        {%- if not found -%}
            {%- set verdict = 'nothing yet' if is_there else 'not built' -%}
            {%- do print(tojson({
                'watched': watch.name, 'kind': 'feed' if watch.source else 'mart', 'every': watch.every, 'period': none,
                'measure': watch.measures[0], 'figure': none, 'usual': none, 'low': none, 'high': none, 'past_count': 0,
                'past': '', 'shown_figure': '-', 'expected': '-', 'members': none, 'verdict': verdict, 'files': [],
                'message': watch.name ~ ': ' ~ verdict,
            })) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
