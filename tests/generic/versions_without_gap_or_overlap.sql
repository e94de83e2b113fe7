{% test versions_without_gap_or_overlap(model, id_column) %}
    {#- Versions of one entity cover all time once: the first begins on 1900-01-01, each other where the one before it
        ends, the last ends on 9999-12-31, and none is empty. Rows: the versions that break it. -#}
    with versions as (
        select
            {{ id_column }},
            valid_from,
            valid_to,
            lag(valid_to) over (partition by {{ id_column }} order by valid_from asc nulls first) as previous_valid_to,
            lead(valid_from) over (partition by {{ id_column }} order by valid_from asc nulls first) as next_valid_from
        from {{ model }}
    )

    select *
    from versions
    where
        valid_from is distinct from coalesce(previous_valid_to, cast('1900-01-01' as date))
        or valid_to is distinct from coalesce(next_valid_from, cast('9999-12-31' as date))
        or valid_from >= valid_to
{% endtest %}
