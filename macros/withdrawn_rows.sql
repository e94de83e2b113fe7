{% macro withdrawn_rows(history, current_rows, id_column) -%}
    {#- What a snapshot remembers and its source no longer has, in the state that dbt saw last. Compared with the source
        itself, not with dbt_valid_to: a snapshot that wasn't taken since the source changed says the same. Of the
        wall-clock times only their order is used. -#}
    select ranked.*
    from (
        select
            states.*,
            row_number() over (
                partition by {{ id_column }} order by dbt_valid_from desc nulls last, dbt_scd_id desc nulls last
            ) as state_rank
        from {{ history }} as states
    ) as ranked
    left join {{ current_rows }} as present on ranked.{{ id_column }} = present.{{ id_column }}
    where ranked.state_rank = 1 and present.{{ id_column }} is null
{%- endmacro %}
