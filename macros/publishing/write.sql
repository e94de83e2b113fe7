{#- How a mart's rows are written, so that readers of what is published don't see it: its tables keep the rows of
    several publications, and each row says from which to which it belongs. -#}

{% macro next_publication() -%}
    {#- The number of the publication that is being built: above all that there are, and all that views of readers have
        tables of, for one that was cut short, after its views and before itself, leaves those. -#}
    {{ return(run_query("
        select 1 + greatest(
            (select max(publication_id) from " ~ built_schema() ~ ".publications),
            (
                select max(cast(substring(tables.relname from '__([0-9]+)$') as integer))
                from pg_class as tables
                inner join pg_depend on tables.oid = refobjid
                inner join pg_rewrite on objid = pg_rewrite.oid
                inner join pg_class as views on ev_class = views.oid
                where tables.relnamespace = to_regnamespace('" ~ built_schema() ~ "') and tables.relkind = 'r'
                    and views.relnamespace <> tables.relnamespace
            ), 0
        )
    ").rows[0][0] | int) }}
{%- endmacro %}

{% macro tables_of(name) -%}
    {#- The tables with a mart's rows, oldest first: dicts of `number`, the first publication that a table belongs
        to, and `definition`, a hash of its columns, constraints and indexes. -#}
    {%- set tables = [] -%}
    {%- for row in run_query(
        "select cast(substring(relname from '[0-9]+$') as integer), obj_description(oid, 'pg_class') from pg_class"
        ~ " where relkind = 'r' and relnamespace = to_regnamespace('" ~ built_schema() ~ "')"
        ~ " and relname ~ '^" ~ name ~ "__[0-9]+$' order by 1"
    ).rows -%}
        {%- do tables.append({'number': row[0] | int, 'definition': row[1]}) -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}

{% macro version_table(name, number) -%}
    {{ return(api.Relation.create(database, built_schema(), name ~ '__' ~ number, type='table')) }}
{%- endmacro %}

{% macro write_publishable(target, kind, sql) -%}
    {#- All rows of a mart: in the place of the newest ones, if its table is as it was, else a table of their own.
        Returns whether the view on them is new. -#}
    {%- set tables = tables_of(model.alias) -%}
    {%- set definition = definition_of_table() -%}
    {%- set fits = tables and tables[-1].definition == definition and kind == 'view' -%}
    {%- if fits and not flags.FULL_REFRESH and not config.get('partition_by') -%}
        {%- do replace_rows(version_table(model.alias, tables[-1].number), 'true', sql) -%}
    {%- else -%}
        {%- do create_version_table(target, definition, none if fits else kind, sql) -%}
    {%- endif -%}
    {{ return(not fits) }}
{%- endmacro %}

{% macro write_publishable_partitions(partitions, sql) -%}
    {%- set touched = config.get('partition_by').field ~ ' in (' ~ as_dates(partitions) ~ ')' -%}
    {%- do replace_rows(version_table(model.alias, tables_of(model.alias)[-1].number), touched, sql) -%}
{%- endmacro %}

{% macro definition_of_table() -%}
    {%- set parts = [tojson(config.get('indexes'), sort_keys=true), model.constraints] -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append(column.name ~ ' ' ~ column.data_type ~ ' ' ~ column.constraints) -%}
    {%- endfor -%}
    {{ return('definition ' ~ local_md5(parts | join('|'))) }}
{%- endmacro %}

{% macro create_version_table(target, definition, misfit, sql) -%}
    {#- A table of the publication that is being built, and the view on its newest rows; one that a build before
        made for the same publication goes, for nobody reads it. So does `misfit`, the kind of what stands in the view's
        place and has other columns, if anything does. -#}
    {%- set number = next_publication() -%}
    {%- set table = version_table(model.alias, number) -%}
    {%- set new = version_table(model.alias, number ~ '__new') -%}
    {%- do run_query("drop table if exists " ~ new) -%}
    {%- call statement('main') -%}{{ create_table_as(false, new, sql) }}{%- endcall -%}
    {%- do add_constraints(new) -%}
    {%- do run_query(
        "alter table " ~ new ~ " add column from_publication integer not null default " ~ number
        ~ ", add column to_publication integer; alter table " ~ new ~ " alter column from_publication drop default"
    ) -%}
    {%- do create_indexes(new) -%}
    {%- for columns in unique_keys() -%}
        {%- do run_query(
            "create unique index on " ~ new ~ " (" ~ columns | join(', ') ~ ") where to_publication is null"
        ) -%}
    {%- endfor -%}
    {%- do run_query("create index on " ~ new ~ " (to_publication) where to_publication is not null") -%}
    {%- do run_query("comment on table " ~ new ~ " is '" ~ definition ~ "'") -%}
    {%- if misfit -%}{%- do run_query("drop " ~ misfit ~ " " ~ target ~ " cascade") -%}{%- endif -%}
    {%- do run_query(
        "create or replace view " ~ target ~ " as select " ~ model.columns.keys() | join(', ') ~ " from " ~ new
        ~ " where to_publication is null"
    ) -%}
    {%- do run_query(
        "drop table if exists " ~ table ~ "; alter table " ~ new ~ " rename to " ~ table.identifier ~ "; analyze "
        ~ table
    ) -%}
{%- endmacro %}

{% macro replace_rows(table, touched, sql) -%}
    {#- New rows in the place of the touched ones. Those that a publication may still show end with it; those that a
        build before wrote for the same publication go. -#}
    {%- set number = next_publication() -%}
    {%- set columns = model.columns.keys() | join(', ') -%}
    {%- set newest = "to_publication is null and " ~ touched -%}
    {%- do run_query(
        "delete from " ~ table ~ " where from_publication = " ~ number ~ " and " ~ newest ~ "; update " ~ table
        ~ " set to_publication = " ~ number ~ " where " ~ newest
    ) -%}
    {%- call statement('main') %}
        {{ config.get('sql_header', none) or '' }}
        insert into {{ table }} ({{ columns }}, from_publication)
        select {{ columns }}, {{ number }} from (
            {{ sql }}
        ) as rebuilt
        where {{ touched }}
    {% endcall -%}
{%- endmacro %}

{% macro unique_keys() -%}
    {#- Columns that the contract says are unique, the primary key included: among the newest rows, for a table
        keeps older ones beside them. -#}
    {%- set keys = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type in ('primary_key', 'unique') -%}
            {%- do keys.append([column.name]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.constraints if constraint.type in ('primary_key', 'unique') -%}
        {%- do keys.append(constraint.columns) -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}
