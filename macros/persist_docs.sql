{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {#- dbt's own by two statements: it asks the information schema, twice and slowly, which columns there are. -#}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set there = run_query(
            "select string_agg(attname, ' ') from pg_attribute where attrelid = to_regclass('" ~ relation
            ~ "') and attnum > 0 and not attisdropped"
        ).rows[0][0].split(' ') -%}
        {%- for column in validate_doc_columns(relation, model.columns, there).values() -%}
            {%- do comments.append("comment on column " ~ relation ~ "."
                ~ (adapter.quote(column.name) if column.quote else column.name) ~ " is "
                ~ postgres_escape_comment(column.description) ~ ";") -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if comments -%}{%- do run_query(comments | join('\n')) -%}{%- endif -%}
{%- endmacro %}
