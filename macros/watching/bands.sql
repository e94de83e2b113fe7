{#- What is usual. The middle is the median of the same weekday (of each week or month, if it is counted by those); how
    far figures stray is 1.4826 times the median of how far all days of the past strayed from theirs, which for a normal
    distribution is its standard deviation, and which a few strange days don't move. -#}

{% macro watched_bands(watch) -%}
    {#- CTE `judged`: each figure of the newest periods, with its band and how many figures the band comes of. -#}
    {%- set middle = 'percentile_cont(0.5) within group (order by ' %}
    newest as (
        select figures.*
        from figures
        inner join newest_periods on figures.period = newest_periods.period
    ),

    past as (
        select
            newest.period,
            newest.measure,
            figures.season,
            figures.figure
        from newest
        inner join figures
            on
                newest.measure = figures.measure
                and newest.period > figures.period
                and newest.period - interval '{{ watch.past }}' <= figures.period
        where not figures.is_unusual and figures.figure is not null
    ),

    middles as (
        select
            period,
            measure,
            season,
            {{ middle }} figure) as middle,
            min(figure) as least,
            count(*) as figures_count
        from past
        group by period, measure, season
    ),

    spreads as (
        select
            past.period,
            past.measure,
            1.4826 * {{ middle }} abs(past.figure - middles.middle)) as points,
            1.4826 * {{ middle }} abs(past.figure / nullif(middles.middle, 0) - 1)) as rate
        from past
        inner join middles
            on past.period = middles.period and past.measure = middles.measure and past.season = middles.season
        group by past.period, past.measure
    ),

    judged as (
        select
            newest.period,
            newest.measure,
            newest.figure,
            newest.is_unusual,
            middles.middle,
            middles.least,
            coalesce(middles.figures_count, 0) as figures_count,
            case
                when newest.measure like 'share(%'
                    then greatest({{ watch.width }} * spreads.points, {{ watch.least_points }})
                else abs(middles.middle) * greatest({{ watch.width }} * spreads.rate, {{ watch.least_change }})
            end as half_band
        from newest
        left join middles
            on newest.period = middles.period and newest.measure = middles.measure and newest.season = middles.season
        left join spreads on newest.period = spreads.period and newest.measure = spreads.measure
    )
{%- endmacro %}

{% macro watched_members(watch) -%}
    {#- CTEs `absent`: how many members that had enough rows in every period of the past, declared ones aside, have
        none now, and which. -#}
    {%- for column in watch.members %}
    present_{{ loop.index }} as (
        select
            period,
            cast({{ column }} as text) as member,
            count(*) as rows_count
        from span_rows
        where {{ column }} is not null and not {{ is_unusual_day(watch, 'period') }}
        group by
            period,
            {{ column }}
    ),

    past_{{ loop.index }} as (
        select
            newest_periods.period,
            count(distinct present.period) as past_count
        from newest_periods
        left join present_{{ loop.index }} as present
            on
                newest_periods.period > present.period
                and newest_periods.period - interval '{{ watch.past }}' <= present.period
        group by newest_periods.period
    ),

    regular_{{ loop.index }} as (
        select
            past.period,
            present.member
        from past_{{ loop.index }} as past
        inner join present_{{ loop.index }} as present
            on past.period > present.period and past.period - interval '{{ watch.past }}' <= present.period
        group by past.period, past.past_count, present.member
        having count(*) = past.past_count and min(present.rows_count) >= {{ watch.least_member_rows }}
    ),

    absent_{{ loop.index }} as (
        select
            past.period,
            past.past_count,
            {{ quoted('members(' ~ column ~ ')') }} as measure,
            count(regular.member) as absent_count,
            string_agg(regular.member, ', ' order by regular.member) as members
        from past_{{ loop.index }} as past
        left join regular_{{ loop.index }} as regular
            on
                past.period = regular.period
                and (past.period, regular.member) not in (select period, member from present_{{ loop.index }})
        where past.period in (select period from present_{{ loop.index }}) -- of a period without rows, rows says it
        group by past.period, past.past_count
    ),
    {%- endfor %}
{%- endmacro %}
