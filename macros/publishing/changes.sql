{#- What a publication changed: how each mart's headline figures moved since the publication before, and what moved
    them. The rows of both are there, so a figure is summed by period on both sides, and each period whose sums differ
    is told by what changed above the mart: files, code, seeds. docs/decisions.md says why so. -#}

{% macro prepare_changes() -%}
    {#- On run start: the tables of figures, of changes and of what publications were built from; readers' view. -#}
    {%- set built, open = built_schema(), generate_schema_name('publications', none) | trim -%}
    {%- do check_headlines() -%}
    {%- do run_query("
        create table if not exists " ~ built ~ ".published_figures (
            publication_id integer, mart text, measure text, before_amount numeric, after_amount numeric,
            period_unit text, note text, primary key (publication_id, mart, measure)
        );
        create table if not exists " ~ built ~ ".published_changes (
            publication_id integer, mart text, measure text, cause text, amount numeric, periods_count integer,
            files_count integer, files text[], models text[], seeds text[],
            primary key (publication_id, mart, measure, cause)
        );
        create table if not exists " ~ built ~ ".published_inputs (
            publication_id integer, kind text, name text, hash text, primary key (publication_id, kind, name, hash)
        );
        create table if not exists " ~ built ~ ".publication_files (
            name text, cause text, key text, first_date date, last_date date
        )
    ") -%}
    {%- set select -%}
        select
            publications.publication_id, publications.published_at, publications.is_current, figures.mart,
            figures.measure, figures.before_amount, figures.after_amount, figures.period_unit, figures.note,
            changes.cause, changes.amount, changes.periods_count, changes.files_count, changes.files, changes.models,
            changes.seeds
        from {{ built }}.publications
        left join {{ built }}.published_figures as figures
            on publications.publication_id = figures.publication_id
        left join {{ built }}.published_changes as changes
            on figures.publication_id = changes.publication_id and figures.mart = changes.mart
                and figures.measure = changes.measure
    {%- endset -%}
    {%- set view = open ~ '.changes' -%}
    {%- set comment = 'How the marts\' headline figures moved from publication to publication, and why. '
        ~ local_md5(select) -%}
    {%- set there = run_query("select obj_description(to_regclass('" ~ view ~ "'), 'pg_class')").rows[0][0] -%}
    {%- if there != comment -%}
        {%- if target.name in ('prod', 'demo') -%}
            {%- do open_schema(open, var('role_prefix', '') ~ 'analyst') -%}
        {%- else -%}
            {%- do run_query("create schema if not exists " ~ open) -%}
        {%- endif -%}
        {%- do run_query(
            "drop view if exists " ~ view ~ "; create view " ~ view ~ " as " ~ select ~ "; comment on view " ~ view
            ~ " is '" ~ comment | replace("'", "''") ~ "'"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro record_changes(number, marts, found) -%}
    {#- What a publication that is about to be the current one changes. A build that is killed before it is leaves rows
        that nobody sees, and the next one takes their place. -#}
    {%- set built, before = built_schema(), namespace(number=none, note=none) -%}
    {%- for table in ('published_figures', 'published_changes', 'published_inputs') -%}
        {%- do run_query("delete from " ~ built ~ "." ~ table ~ " where publication_id >= " ~ number) -%}
    {%- endfor -%}
    {%- do record_inputs(number) -%}
    {%- set row = run_query(
        "select max(publication_id), max(publication_id) in (select publication_id from " ~ built
        ~ ".published_inputs) from " ~ built ~ ".publications"
    ).rows[0] -%}
    {%- if row[0] is none -%}
        {%- set before.note = 'first publication' -%}
    {%- elif not row[1] -%}
        {%- set before.note = 'no record of the publication before' -%}
    {%- else -%}
        {%- set before.number = row[0] | int -%}
    {%- endif -%}
    {%- set changed = changed_inputs(before.number, number) if before.number is not none else {} -%}
    {%- set there = run_query(
        "select model_name from " ~ built ~ ".published_marts where publication_id = " ~ (before.number or 0)
    ).columns[0].values() -%}
    {%- for node in marts if headline_of(node) -%}
        {%- set note = before.note or (none if node.name in there else 'new mart') -%}
        {%- do record_mart(node, number, before.number, note, changed, found) -%}
    {%- endfor -%}
    {%- do run_query(
        "insert into " ~ built ~ ".published_figures select " ~ number ~ ", mart, measure, after_amount, null, "
        ~ "period_unit, 'taken away' from " ~ built ~ ".published_figures as before where publication_id = "
        ~ (before.number or 0) ~ " and after_amount is not null and not exists (select from " ~ built
        ~ ".published_figures as now where now.publication_id = " ~ number
        ~ " and now.mart = before.mart and now.measure = before.measure)"
    ) -%}
{%- endmacro %}

{% macro hide_movements(number) -%}
    {#- SQL: a publication says nothing of the one before, which held a person who was forgotten: what it differs by may
        be that person's. -#}
    delete from {{ built_schema() }}.published_changes where publication_id = {{ number }};
    delete from {{ built_schema() }}.published_figures where publication_id = {{ number }} and after_amount is null;
    update {{ built_schema() }}.published_figures set before_amount = null, note = 'persons were forgotten'
    where publication_id = {{ number }} and note is null
{%- endmacro %}

{% macro drop_changes(oldest) -%}
    {#- SQL: of publications that aren't kept; of what they were built from, all but the newest. -#}
    delete from {{ built_schema() }}.published_figures where publication_id < {{ oldest }};
    delete from {{ built_schema() }}.published_changes where publication_id < {{ oldest }};
    delete from {{ built_schema() }}.published_inputs
    where publication_id < (select max(publication_id) from {{ built_schema() }}.publications)
{%- endmacro %}
