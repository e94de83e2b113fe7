{#- In place of dbt-spark's own: types are ours, an empty cell is null, and the rows come with one statement. -#}

{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set described = model.columns[name].description if name in model.columns else '' -%}
        {%- do columns.append(
            adapter.quote(name) ~ ' ' ~ seed_type(model, agate_table, name, loop.index0)
            ~ spark_comment(described)
        ) -%}
    {%- endfor -%}
    {%- set sql = "create table " ~ this ~ " (" ~ columns | join(', ') ~ ") using parquet comment '"
        ~ spark_text(model.description) ~ "'" -%}
    {%- do run_query(sql) -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set columns, rows = [], [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append(
            'cast(' ~ adapter.quote(name) ~ ' as ' ~ seed_type(model, agate_table, name, loop.index0) ~ ')'
        ) -%}
    {%- endfor -%}
    {%- for row in agate_table.rows -%}
        {%- set cells = [] -%}
        {%- for cell in row -%}
            {%- do cells.append('null' if cell is none else "'" ~ spark_text(cell) ~ "'") -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ cells | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- if not rows -%}{{ return('') }}{%- endif -%}
    {%- set sql = 'insert into ' ~ this ~ ' select /*+ coalesce(1) */ ' ~ columns | join(', ') ~ ' from (values '
        ~ rows | join(', ') ~ ') as cells (' ~ agate_table.column_names | join(', ') ~ ')' -%}
    {%- do run_query(sql) -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro seed_type(model, agate_table, name, number) -%}
    {{ return(engine_type(model.config.column_types.get(name) or adapter.convert_type(agate_table, number))) }}
{%- endmacro %}

{% macro spark_comment(description) -%}
    {#- A column's, shortened: a Hive metastore keeps 256 characters, and tries a longer one for 20 seconds. -#}
    {{ return(" comment '" ~ spark_text(description | truncate(255, true, '…', 0)) ~ "'") }}
{%- endmacro %}

{% macro spark_text(text) -%}
    {#- What stands between the quotes of a text. -#}
    {{ return((text if text is not none else '') | string | replace('\\', '\\\\') | replace("'", "\\'")
        | replace('\n', '\\n')) }}
{%- endmacro %}
