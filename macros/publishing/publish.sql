{#- Write, audit, publish: a build's marts are published together, when all tests of them and of what they are built
    from have passed. Readers' views show the publication that one row names, so that it changes in one instant, and
    whoever reads several marts in one snapshot reads one publication. -#}

{% macro prepare_publications() -%}
    {#- On run start: what is published is kept beside the rows, so that it outlives the state of builds. -#}
    {%- set schema = built_schema() -%}
    {%- do run_query("
        create schema if not exists " ~ schema ~ ";
        create table if not exists " ~ schema ~ ".publications (
            publication_id integer primary key, published_at timestamptz not null, is_current boolean not null
        );
        create table if not exists " ~ schema ~ ".published_marts (
            publication_id integer, model_name text, content_id text, primary key (publication_id, model_name)
        );
        create table if not exists " ~ schema ~ ".published_views (relation text primary key, definition text)
    ") -%}
    {%- do prepare_changes() -%}
    {%- do begin_forgetting() -%}
{%- endmacro %}

{% macro publish_what_passed(results) -%}
    {#- On run end: publish, unless something is missing, which is said; or DBT_PUBLISHING is `never`. A copy of
        one's own (targets other than prod and demo) publishes what is there, `always`, for its only reader wants to
        see it. -#}
    {{ return(adapter.dispatch('publish_what_passed')(results)) }}
{%- endmacro %}

{% macro postgres__publish_what_passed(results) -%}
    {%- set rule = env_var('DBT_PUBLISHING', 'tested' if target.name in ('prod', 'demo') else 'always') -%}
    {%- if rule not in ('tested', 'always', 'never') -%}
        {{ exceptions.raise_compiler_error("DBT_PUBLISHING is tested, always or never, and not " ~ rule) }}
    {%- endif -%}
    {%- if execute and flags.WHICH in building_commands() + ('test',) and has_state() -%}
        {%- if flags.WHICH in building_commands() -%}
            {%- do forget_failed_models(results) -%}
            {%- do end_forgetting(results) -%}
        {%- endif -%}
        {%- if rule != 'never' and not shows_a_part() and is_our_turn() -%}
            {%- set missing = what_is_missing() if rule == 'tested' else [] -%}
            {%- if missing -%}
                {%- do say('Not published: ' ~ missing[:5] | join('; ') ~ ('; and ' ~ (missing | length - 5) ~ ' more'
                    if missing | length > 5 else '') ~ '. ' ~ about_current()) -%}
            {%- else -%}
                {%- do publish(rule == 'always') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro is_our_turn() -%}
    {#- A build has it; `dbt test` publishes if nobody builds, and nobody begins before it is done. -#}
    {%- if flags.WHICH in building_commands() -%}{{ return(true) }}{%- endif -%}
    {%- do run_query("select pg_advisory_lock(hashtextextended('" ~ state_schema() ~ "', 0))") -%}
    {{ return(not run_query("select 1 from " ~ state_table('builds')).rows) }}
{%- endmacro %}

{% macro publish_marts(breaking=false) -%}
    {#- `journey publish`: publish what is built, if nothing is missing. -#}
    {%- if not has_state() -%}{{ exceptions.raise_compiler_error('nothing is built yet: journey build') }}{%- endif -%}
    {%- do wait_for_turn(state_schema()) -%}
    {%- set missing = what_is_missing() -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error('not published: ' ~ missing | join('; ')) }}
    {%- endif -%}
    {%- do publish(breaking) -%}
{%- endmacro %}

{% macro roll_back(to=none) -%}
    {#- `journey publish --rollback`: readers see an earlier publication. -#}
    {%- set publications = built_schema() ~ '.publications' -%}
    {%- if not has_state() -%}{{ exceptions.raise_compiler_error('nothing is published yet') }}{%- endif -%}
    {%- do wait_for_turn(state_schema()) -%}
    {%- do prepare_forgets() -%}
    {%- set forgets = forgets_now() -%}
    {%- set earlier = run_query(
        "select publication_id, " ~ forgets_of('publication_id') ~ " >= " ~ forgets ~ " from " ~ publications
        ~ " where " ~ (
            "publication_id = " ~ (to | int) if to is not none
            else "publication_id < (select publication_id from " ~ publications ~ " where is_current)"
        ) ~ " order by publication_id desc"
    ).rows -%}
    {%- if not earlier -%}
        {{ exceptions.raise_compiler_error('no such publication is kept: journey publish --list' ~ (
            '; those that held a person who was forgotten since were dropped' if forgets else ''
        )) }}
    {%- elif not earlier[0][1] -%}
        {{ exceptions.raise_compiler_error(
            'it holds a person who was forgotten since: journey build publishes the marts without, and drops it'
        ) }}
    {%- endif -%}
    {%- do in_transaction(make_current(earlier[0][0])) -%}
    {%- do say('Rolled back: ' ~ about_current()) -%}
{%- endmacro %}

{% macro list_publications() -%}
    {#- `journey publish --list`. -#}
    {%- if not has_state() -%}{{ exceptions.raise_compiler_error('nothing is published yet') }}{%- endif -%}
    {%- for number, published_at, is_current in run_query(
        "select publication_id, to_char(published_at, 'YYYY-MM-DD HH24:MI:SS TZ'), is_current from " ~ built_schema()
        ~ ".publications order by publication_id desc"
    ).rows -%}
        {%- do print(number ~ '  ' ~ published_at ~ ('  readers see this one' if is_current else '')) -%}
    {%- else -%}
        {%- do print('nothing is published yet') -%}
    {%- endfor -%}
{%- endmacro %}

{% macro marts_built() -%}
    {#- The marts that a build has made, as nodes. -#}
    {%- set there = run_query(
        "select relname from pg_class where relkind = 'v' and relnamespace = to_regnamespace('" ~ built_schema() ~ "')"
    ).columns[0].values() -%}
    {%- set marts = [] -%}
    {%- for node in graph.nodes.values() if node.alias in there and is_published(node) -%}
        {%- do marts.append(node) -%}
    {%- endfor -%}
    {{ return(marts | sort(attribute='unique_id')) }}
{%- endmacro %}

{% macro what_is_missing() -%}
    {#- Why the marts that are built can't be published, as texts: models that weren't built since what they read was
        written, and tests that haven't passed since: those of what marts are made of, and any that says
        `holds_publication`. -#}
    {%- set above = {} -%}
    {%- do collect_ancestors(marts_built(), above) -%}
    {%- set reads = [] -%}
    {%- for node in above.values() if node.config.materialized == 'incremental_table' -%}
        {%- for name in tables_read(node) or [''] -%}
            {%- do reads.append("('" ~ node.name ~ "', '', '" ~ name ~ "')") -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'test' and node.config.enabled -%}
        {%- if node.depends_on.nodes | select('in', above) | list or node.config.meta.get('holds_publication') -%}
            {%- for name in tables_read(node) or [''] -%}
                {%- do reads.append("('" ~ node.name ~ "', '" ~ node.unique_id ~ "', '" ~ name ~ "')") -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not reads -%}{{ return(['no mart is built']) }}{%- endif -%}
    {{ return(run_query("
        with reads (name, test_name, model_name) as (values " ~ reads | join(', ') ~ "),
        now as (
            select
                reads.name, reads.test_name, coalesce("
                ~ hash_of_set("models.model_name || ':' || models.content_id") ~ ", 'nothing') as seen
            from reads left join " ~ state_table('models') ~ " as models on reads.model_name = models.model_name
            group by reads.name, reads.test_name
        )
        select case when now.test_name = '' then now.name || ' is not built since what it reads was written'
            else now.name || case when tests.test_name is null then ' was not run' when not tests.may_publish
                then ' has not passed' else ' has not passed since' end end
        from now
        left join " ~ state_table('models') ~ " as models on now.test_name = '' and now.name = models.model_name
        left join " ~ state_table('tests') ~ " as tests on now.test_name = tests.test_name
        where split_part(coalesce(models.seen, tests.seen, ''), ' ', 1) <> now.seen
            or not coalesce(tests.may_publish, true)
        order by now.test_name <> '', 1
    ").columns[0].values() | list) }}
{%- endmacro %}

{% macro collect_ancestors(nodes, above) -%}
    {#- Nodes and all that they are built from, by their unique id. -#}
    {%- for node in nodes if node.unique_id not in above -%}
        {%- do above.update({node.unique_id: node}) -%}
        {%- set parents = [] -%}
        {%- for parent in node.depends_on.nodes -%}
            {%- do parents.append(graph.nodes[parent] if parent in graph.nodes else {
                'unique_id': parent, 'depends_on': {'nodes': []}, 'config': {'materialized': 'source'}
            }) -%}
        {%- endfor -%}
        {%- do collect_ancestors(parents, above) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro forget_failed_models(results) -%}
    {#- A model that broke or was skipped is due, though its table may be as it was. -#}
    {%- set failed = [] -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status in ('error', 'skipped') -%}
        {%- do failed.append(result.node.name) -%}
    {%- endfor -%}
    {%- if failed -%}
        {%- do run_query("update " ~ state_table('models') ~ " set seen = 'failed' where model_name in ('"
            ~ failed | join("', '") ~ "')") -%}
    {%- endif -%}
{%- endmacro %}

{% macro publish(breaking=false) -%}
    {#- Views first, one after the other: until the new publication is the current one, they show what they showed. Then
        the publication, in one transaction, with what else readers would miss between. Then old rows go. -#}
    {%- set marts = marts_built() -%}
    {%- set number = next_publication() -%}
    {%- set found = catalogue(marts) -%}
    {%- set newest = newest_publication() -%}
    {%- set is_new = has_tables_since(newest, marts, found) or has_news(marts) -%}
    {%- set last = number if is_new else newest -%}
    {%- do prepare_forgets() -%}
    {%- set is_kept = keeps_forgotten(last) -%}
    {%- set oldest = last if is_kept
        else [last - var('kept_publications', 3) + 1, current_publication() or last] | min -%}
    {%- do prepare_masking() -%}
    {%- set views, at_once = [], [] -%}
    {%- for node in marts -%}{%- do views.append(published_view(node, found, 0)) -%}{%- endfor -%}
    {%- set gone = gone_views(views) -%}
    {%- do stop_at_breaks(views, gone, breaking) -%}
    {%- for view in views if not view.is_there -%}
        {%- if view.kind == 'table' -%} {#- of a time before publications: it shows what it has until then -#}
            {%- do at_once.append(
                'drop table ' ~ view.name ~ ' cascade; create view ' ~ view.name ~ ' as ' ~ view.query
            ) -%}
        {%- else -%}
            {%- do put_view(view) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in gone -%}{%- do at_once.append('drop view ' ~ name ~ ' cascade') -%}{%- endfor -%}
    {%- do record_changes(number, marts, found) if is_new else record_inputs_of_upgraded(last) -%}
    {%- if is_kept -%}{%- do at_once.append(hide_movements(last)) -%}{%- endif -%}
    {%- if is_new -%}
        {%- do at_once.append("
            insert into " ~ built_schema() ~ ".publications values (" ~ number ~ ", clock_timestamp(), false);
            insert into " ~ built_schema() ~ ".published_marts select " ~ number ~ ", model_name, content_id from "
            ~ state_table('models') ~ " where model_name in ('" ~ marts | map(attribute='name') | join("', '") ~ "');
            " ~ make_current(number)) -%}
    {%- elif is_kept -%} {#- somebody had rolled back to one that goes -#}
        {%- do at_once.append(make_current(last)) -%}
    {%- endif -%}
    {%- if at_once -%}{%- do patiently(at_once | join('; '), 'marts') -%}{%- endif -%}
    {%- for view in views if not view.is_there and view.kind == 'table' -%}{%- do remember_view(view) -%}{%- endfor -%}
    {%- do describe_views(marts) -%}
    {%- if is_new or is_kept -%}{%- do drop_old_rows(views, marts, oldest) -%}{%- endif -%}
    {%- if is_kept -%}{%- do drop_forgotten(last) -%}{%- endif -%}
    {%- do say(('Published: ' if is_new else 'Nothing new to publish: ') ~ about_current()) -%}
{%- endmacro %}

{% macro newest_publication() -%}
    {{ return(run_query(
        "select coalesce(max(publication_id), 0) from " ~ built_schema() ~ ".publications"
    ).rows[0][0] | int) }}
{%- endmacro %}

{% macro has_tables_since(newest, marts, catalogue) -%}
    {#- Whether a mart's table was made after a publication. Then there has to be a new one, though the rows are the
        same: it may hold what a table that was dropped had held. -#}
    {%- for node in marts if (numbers_of(node.alias, catalogue) or [0])[-1] > newest -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{% macro has_news(marts) -%}
    {#- Whether a mart has other rows than in the newest publication. -#}
    {{ return(run_query("
        select count(*) > 0 from (
            select model_name, content_id from " ~ state_table('models') ~ " where model_name in ('"
            ~ marts | map(attribute='name') | join("', '") ~ "')
        ) as built
        full join (
            select model_name, content_id from " ~ built_schema() ~ ".published_marts
            where publication_id = (select max(publication_id) from " ~ built_schema() ~ ".publications)
        ) as published on built.model_name = published.model_name
        where built.content_id is distinct from published.content_id
    ").rows[0][0]) }}
{%- endmacro %}

{% macro current_publication() -%}
    {%- set found = run_query(
        "select publication_id from " ~ built_schema() ~ ".publications where is_current"
    ).rows -%}
    {{ return(found[0][0] | int if found else none) }}
{%- endmacro %}

{% macro about_current() -%}
    {%- set found = run_query(
        "select publication_id, to_char(published_at, 'YYYY-MM-DD HH24:MI:SS TZ') from " ~ built_schema()
        ~ ".publications where is_current"
    ).rows -%}
    {{ return(
        'readers see publication ' ~ found[0][0] ~ ' of ' ~ found[0][1] if found else 'readers see nothing yet'
    ) }}
{%- endmacro %}

{% macro make_current(number) -%}
    update {{ built_schema() }}.publications set is_current = publication_id = {{ number }}
    where is_current or publication_id = {{ number }}
{%- endmacro %}

{% macro say(text) -%}
    {#- In a build's log; `journey publish` prints it. -#}
    {%- if flags.WHICH == 'run-operation' -%}
        {%- do print(text) -%}
    {%- else -%}
        {%- do log(text, info=true) -%}
    {%- endif -%}
{%- endmacro %}

{% macro in_transaction(sql) -%}
    {%- call statement('in_transaction', auto_begin=true) -%}{{ sql }}{%- endcall -%}
    {%- do adapter.commit() -%}
{%- endmacro %}
