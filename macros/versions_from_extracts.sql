{% macro versions_from_extracts(extracts, id_column, attributes) -%}
    {#- The history of an entity (SCD2) from full extracts, rebuilt from nothing on each run: a version begins with the
        extract that first shows its attributes and ends where the next one begins. The first version is open to the
        past. Of an extract that was delivered twice, the newer file counts; of an entity that is twice in one file, the
        row whose attributes have the larger hash: any, but always the same. An entity that is missing from an extract
        keeps its version: a gap says nothing about its attributes. -#}
    select
        {{ id_column }},
        {%- for attribute in attributes %}
        {{ attribute }},
        {%- endfor %}
        attribute_hash,
        case when version_number = 1 then cast('1900-01-01' as date) else extract_date end as valid_from,
        coalesce(
            lead(extract_date) over (partition by {{ id_column }} order by extract_date asc nulls last),
            cast('9999-12-31' as date)
        ) as valid_to,
        last_extract_date
    from (
        select
            compared.*,
            row_number() over (partition by {{ id_column }} order by extract_date asc nulls last) as version_number
        from (
            select
                delivered.*,
                lag(attribute_hash) over (
                    partition by {{ id_column }} order by extract_date asc nulls last
                ) as previous_hash,
                max(extract_date) over (partition by {{ id_column }}) as last_extract_date
            from (
                select
                    ranked.*,
                    {{ surrogate_key(attributes) }} as attribute_hash
                from (
                    select
                        extracts.*,
                        row_number() over (
                            partition by {{ id_column }}, extract_date
                            order by _file_id desc nulls last, {{ surrogate_key(attributes) }} desc
                        ) as delivery_rank
                    from {{ extracts }} as extracts
                ) as ranked
                where delivery_rank = 1
            ) as delivered
        ) as compared
        where previous_hash is null or previous_hash <> attribute_hash
    ) as changed
{%- endmacro %}
