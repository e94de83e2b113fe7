{% macro catalogue(marts) -%}
    {#- What is in the readers' schemas and in that of the newest rows, by `schema.name`: dicts of `kind`, `columns`
        (by name the type, in order) and `definition`, by which a published view is known. -#}
    {%- set schemas, found = [built_schema()] + marts | map(attribute='schema') | unique | list, {} -%}
    {%- for name, kind, definition, column, type in run_query("
        select
            nspname || '.' || relname,
            case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
            views.definition, attname, format_type(atttypid, atttypmod)
        from pg_class
        inner join pg_namespace on relnamespace = pg_namespace.oid
        inner join pg_attribute on attrelid = pg_class.oid
        left join " ~ built_schema() ~ ".published_views as views on views.relation = nspname || '.' || relname
        where nspname in ('" ~ schemas | join("', '") ~ "') and relkind in ('r', 'v', 'm', 'p')
            and attnum > 0 and not attisdropped
        order by pg_class.oid, attnum
    ").rows -%}
        {%- if name not in found -%}
            {%- do found.update({name: {'kind': kind, 'definition': definition, 'columns': {}}}) -%}
        {%- endif -%}
        {%- do found[name].columns.update({column: type}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro published_view(node, catalogue, oldest) -%}
    {#- The view that readers have on a mart: the rows of the current publication, from the tables that hold
        `oldest` or a later one. It has its columns in the order in which they came, for a view can't lose or move
        one; a table that lacks one gives null.

        Returns a dict: `name`, `node`, `query`, `kind` (of what is there), `is_there`, `lost` (what a reader would
        miss, as texts), `kept` and `dropped` (tables). -#}
    {%- set name, built = node.schema ~ '.' ~ node.alias, built_schema() ~ '.' ~ node.alias -%}
    {%- set before, now = catalogue.get(name, {'columns': {}}), catalogue[built].columns -%}
    {%- set types, lost = {}, [] -%}
    {%- for column, type in before.columns.items() if before.kind == 'view' -%}
        {%- if column not in now -%}
            {%- do lost.append(node.name ~ ' has no ' ~ column ~ ' any more') -%}
        {%- elif now[column] != type -%}
            {%- do lost.append(node.name ~ '.' ~ column ~ ' was ' ~ type ~ ' and is ' ~ now[column]) -%}
        {%- else -%}
            {%- do types.update({column: type}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do types.update(now) -%}
    {%- set current = '(select publication_id from ' ~ built_schema() ~ '.publications where is_current)' -%}
    {%- set selects, kept, dropped, following = [], [], [], namespace(number=none) -%}
    {%- for number in numbers_of(node.alias, catalogue) | reverse -%}
        {%- set table = built ~ '__' ~ number -%}
        {%- if following.number is not none and following.number <= oldest -%}
            {%- do dropped.append(table) -%}
        {%- else -%}
            {%- set columns = [] -%}
            {%- for column, type in types.items() -%}
                {%- set is_there = catalogue[table].columns.get(column) == type -%}
                {%- set value = published_column(node.columns[column]) | trim if is_there else 'null' -%}
                {%- do columns.append(
                    value if value == adapter.quote(column) else 'cast(' ~ value ~ ' as ' ~ type ~ ') as ' ~ column
                ) -%}
            {%- endfor -%}
            {%- do selects.append(
                'select ' ~ columns | join(', ') ~ ' from ' ~ table ~ ' where from_publication <= ' ~ current
                ~ ' and (to_publication is null or to_publication > ' ~ current ~ ')'
                ~ (' and ' ~ current ~ ' < ' ~ following.number if following.number is not none else '')
            ) -%}
            {%- do kept.append(table) -%}
            {%- set following.number = number -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set query = selects | join(' union all ') -%}
    {{ return({
        'name': name, 'node': node, 'query': query, 'lost': lost, 'kind': before.kind, 'kept': kept, 'dropped': dropped,
        'is_there': before.kind == 'view' and before.definition == local_md5(query),
    }) }}
{%- endmacro %}

{% macro numbers_of(name, catalogue) -%}
    {#- The numbers of a mart's tables, oldest first. -#}
    {%- set numbers, pattern = [], modules.re.compile(built_schema() ~ '\\.' ~ name ~ '__([0-9]+)') -%}
    {%- for relation in catalogue -%}
        {%- set found = pattern.fullmatch(relation) -%}
        {%- if found -%}{%- do numbers.append(found.group(1) | int) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(numbers | sort) }}
{%- endmacro %}

{% macro gone_views(views) -%}
    {#- Readers' views of marts that are no marts any more: their model is gone or switched off. -#}
    {{ return(run_query(
        "select relation from " ~ built_schema() ~ ".published_views where relation not in ('"
        ~ views | map(attribute='name') | join("', '") ~ "') and to_regclass(relation) is not null order by 1"
    ).columns[0].values() | list) }}
{%- endmacro %}

{% macro stop_at_breaks(views, gone, breaking) -%}
    {#- What takes a mart or a column away from readers is published only by somebody who says so. Then the view is made
        anew, and what hangs on it goes. -#}
    {%- set lost = [] -%}
    {%- for view in views if view.lost -%}{%- do lost.append((view.name, view.lost | join(', '))) -%}{%- endfor -%}
    {%- for name in gone -%}{%- do lost.append((name, name ~ ' is not built any more')) -%}{%- endfor -%}
    {%- set told = [] -%}
    {%- for name, what in lost if not breaking -%}
        {%- set hanging = run_query("
            select distinct dependent.oid::regclass::text
            from pg_depend
            inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
            inner join pg_class as dependent on pg_rewrite.ev_class = dependent.oid
            where pg_depend.refobjid = '" ~ name ~ "'::regclass and dependent.oid <> '" ~ name ~ "'::regclass
            order by 1
        ").columns[0].values() -%}
        {%- do told.append(what ~ (' (read by ' ~ hanging | join(', ') ~ ')' if hanging else '')) -%}
    {%- endfor -%}
    {%- if told -%}
        {{ exceptions.raise_compiler_error(
            'not published, for readers would miss something: ' ~ told | join('; ') ~ '. If that is meant: '
            ~ 'journey publish --breaking, which drops the views that read it'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro put_view(view, dropped=()) -%}
    {#- Tables that are dropped go with the view on them. -#}
    {%- set old = 'drop view ' ~ view.name ~ ' cascade; ' if view.lost else '' -%}
    {%- set gone = '; drop table ' ~ dropped | join(', ') if dropped else '' -%}
    {%- do patiently(old ~ 'create or replace view ' ~ view.name ~ ' as ' ~ view.query ~ gone, view.name) -%}
    {%- do remember_view(view) -%}
{%- endmacro %}

{% macro remember_view(view) -%}
    {%- do let_analysts_read(view.name) -%}
    {%- do in_transaction(
        "delete from " ~ built_schema() ~ ".published_views where relation = '" ~ view.name ~ "'; insert into "
        ~ built_schema() ~ ".published_views values ('" ~ view.name ~ "', '" ~ local_md5(view.query) ~ "')"
    ) -%}
{%- endmacro %}

{% macro patiently(sql, name) -%}
    {#- A change of a view waits for its readers, a fifth of a second at a time: who reads meanwhile waits no
        longer. -#}
    {%- do in_transaction("
        do $publish$
        begin
            for attempt in 1..150 loop
                begin
                    set local lock_timeout = '200ms';
                    " ~ sql ~ ";
                    return;
                exception when lock_not_available or deadlock_detected then
                    perform pg_sleep(0.2);
                end;
            end loop;
            raise exception 'not published: somebody has read % in a transaction that is open for a minute and longer',
                '" ~ name ~ "';
        end
        $publish$
    ") -%}
{%- endmacro %}

{% macro describe_views(marts) -%}
    {#- Comments and grants: those of the newest rows' view, and those of the model's config. -#}
    {%- set pairs = [] -%}
    {%- for node in marts -%}
        {%- do pairs.append("('" ~ node.relation_name ~ "', '" ~ built_relation(node) ~ "')") -%}
        {%- for privilege, grantees in (node.config.grants or {}).items() -%}
            {%- for grantee in ([grantees] if grantees is string else grantees) -%}
                {%- do in_transaction(
                    "grant " ~ privilege ~ " on " ~ node.relation_name ~ " to " ~ adapter.quote(grantee)
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if pairs -%}
        {%- do in_transaction("
            do $comments$
            declare
                found record;
            begin
                for found in
                    with pairs (published, built) as (values " ~ pairs | join(', ') ~ "),
                    columns (published, built, name, ours, theirs) as (
                        select published, built, null, 0, 0 from pairs
                        union all
                        select published, built, ours.attname, ours.attnum, theirs.attnum
                        from pairs
                        inner join pg_attribute as ours on ours.attrelid = to_regclass(built)
                        inner join pg_attribute as theirs
                            on theirs.attrelid = to_regclass(published) and theirs.attname = ours.attname
                        where ours.attnum > 0
                    )
                    select columns.published, columns.name, said.description
                    from columns
                    left join pg_description as said
                        on said.classoid = 'pg_class'::regclass and said.objoid = to_regclass(built)
                            and said.objsubid = ours
                    left join pg_description as told
                        on told.classoid = 'pg_class'::regclass and told.objoid = to_regclass(published)
                            and told.objsubid = theirs
                    where said.description is distinct from told.description
                loop
                    if found.name is null then
                        execute format('comment on view %s is %L', found.published, found.description);
                    else
                        execute format('comment on column %s.%I is %L', found.published, found.name, found.description);
                    end if;
                end loop;
            end
            $comments$
        ") -%}
    {%- endif -%}
{%- endmacro %}

{% macro drop_old_rows(views, marts, oldest) -%}
    {#- Rows and tables of publications that aren't kept. A table leaves its view and goes when every transaction
        that is open now is over, for an old snapshot may still show a publication before; with a longer one it
        stays until the next publication. -#}
    {%- for view in views -%}
        {%- for table in view.kept -%}
            {%- do in_transaction('delete from ' ~ table ~ ' where to_publication <= ' ~ oldest) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do in_transaction(
        "delete from " ~ built_schema() ~ ".publications where publication_id < " ~ oldest
        ~ "; delete from " ~ built_schema() ~ ".published_marts where publication_id < " ~ oldest ~ "; "
        ~ drop_changes(oldest)
    ) -%}
    {%- set without, found = [], catalogue(marts) -%}
    {%- for node in marts -%}
        {%- set view = published_view(node, found, oldest) -%}
        {%- if view.dropped -%}{%- do without.append(view) -%}{%- endif -%}
    {%- endfor -%}
    {%- if without and open_transactions_end() -%}
        {%- for view in without -%}{%- do put_view(view, view.dropped) -%}{%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro open_transactions_end() -%}
    {#- Whether all transactions that are open now are over within two seconds. -#}
    {%- set ids = run_query(
        "select virtualtransaction from pg_locks where locktype = 'virtualxid' and pid <> pg_backend_pid()"
    ).columns[0].values() -%}
    {%- set seen = namespace(is_open=ids | length > 0) -%}
    {%- for attempt in range(20) if seen.is_open -%}
        {%- set seen.is_open = run_query(
            "select pg_sleep(0.1), exists (select 1 from pg_locks where locktype = 'virtualxid' "
            ~ "and virtualtransaction in ('" ~ ids | join("', '") ~ "'))"
        ).rows[0][1] -%}
    {%- endfor -%}
    {{ return(not seen.is_open) }}
{%- endmacro %}
