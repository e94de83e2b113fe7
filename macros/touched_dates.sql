{#- Incremental models by touched business dates. How it works stands in models/warehouse/README.md, why in
    docs/decisions.md. -#}

{% macro is_touched(relation) -%}
    {#- A condition on the rows of an input: those of the dates that this build replaces. True when all are, or when
        there are none, as of an area that is off. -#}
    {%- if this is none or not is_incremental() or relation is string -%} {#- none in a unit test -#}
        true
    {%- else -%}
        {%- set date_column = config.get('unique_key') -%}
        {%- set inputs = build_inputs() -%}
        {%- set view = inputs.views | selectattr('name', 'equalto', relation.identifier) | first -%}
        {%- set table = inputs.tables | selectattr('name', 'equalto', relation.identifier) | first -%}
        {%- if not date_column -%}
            exists (select 1 from touched_dates)
        {%- elif view -%}
            -- an array, for PostgreSQL uses the BRIN index on _file_id for it, and for `in (select ...)` it doesn't
            _file_id = any(array(select file_id from touched_files))
            and {{ date_column }} in (select business_date from touched_dates)
        {%- elif table and table.date_column == date_column -%}
            {{ date_column }} in (select business_date from touched_dates)
        {%- elif table and table.date_column == 'week_start_date' -%}
            week_start_date in (
                select cast({{ dbt.date_trunc('week', 'business_date') }} as date) from touched_dates
            )
        {%- else -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ ': is_touched(' ~ relation.identifier ~ ') needs a staging view or a touched_dates model'
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_touched_dates_sql(arg_dict) -%}
    {#- The strategy: every touched date is replaced whole, dates that have no rows any more included. -#}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ arg_dict['unique_key'] or build_epoch() }} in (select business_date from touched_dates);

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    where exists (select 1 from touched_dates);
{%- endmacro %}

{% macro should_full_refresh() -%}
    {#- dbt's own rule, and: a model whose code, or whose views' or seeds' code, isn't what its table was built with is
        rebuilt whole. -#}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is none -%}{%- set configured = flags.FULL_REFRESH -%}{%- endif -%}
    {%- if not configured and builds_by_date() -%}
        {%- set built = run_query(
            "select code_hash from " ~ build_state('models') ~ " where model_name = '" ~ model.name ~ "'"
        ) -%}
        {%- set configured = built.rows | length == 0 or built.rows[0][0] != build_inputs().code_hash -%}
    {%- endif -%}
    {%- do return(configured) -%}
{%- endmacro %}

{% macro builds_by_date() -%}
    {#- Whether the node at hand is a model that this file is about, and is being built. -#}
    {{ return(
        execute and flags.WHICH in ('build', 'run', 'retry')
        and model.resource_type == 'model' and config.get('materialized') == 'incremental'
    ) }}
{%- endmacro %}

{% macro loader_files() -%}
    {#- The loader's ledger: what is loaded now. From the graph, for hooks can't have a source() of their own. -#}
    {{ return(graph.sources['source.' ~ project_name ~ '.loader.files'].relation_name) }}
{%- endmacro %}

{% macro build_epoch() -%}
    {#- The one date of a model that has none: it is replaced whole when any of its files changes. -#}
    cast('1900-01-01' as date)
{%- endmacro %}

{% macro build_state(table_name) -%}
    {#- A table of what each incremental model was last built from. -#}
    {{ generate_schema_name('build_state', none) }}.{{ table_name }}
{%- endmacro %}

{% macro create_build_state() -%}
    {#- At the start of a run: the tables that remember what was built from what. They go with their models: a model
        that isn't remembered is rebuilt whole. -#}
    {%- if execute and flags.WHICH in ('build', 'run', 'retry') -%}
        create schema if not exists {{ generate_schema_name('build_state', none) }};
        -- the business dates in each file that a model reads
        create table if not exists {{ build_state('file_dates') }} (
            model_name text, file_id integer, business_date date,
            primary key (model_name, file_id, business_date)
        );
        -- which inputs each date of a model was built from, and by which build
        create table if not exists {{ build_state('dates') }} (
            model_name text, business_date date, inputs_hash text not null, build_id bigint not null,
            primary key (model_name, business_date)
        );
        -- which version of which dimension member a model's keys were found in
        create table if not exists {{ build_state('versions') }} (
            model_name text, dimension_name text, dimension_key bigint, valid_from date not null,
            valid_to date not null, attribute_hash bigint not null,
            primary key (model_name, dimension_name, dimension_key)
        );
        -- which build of an incremental dimension a model's keys were found in
        create table if not exists {{ build_state('dimensions') }} (
            model_name text, dimension_name text, build_id bigint not null,
            primary key (model_name, dimension_name)
        );
        -- the code that a model was built with
        create table if not exists {{ build_state('models') }} (model_name text primary key, code_hash text not null);
    {%- endif -%}
{%- endmacro %}

{% macro build_inputs() -%}
    {#- What the model at hand reads, from the graph: staging views and their raw tables, other touched_dates models,
        dimensions whose key it has; and a hash of all code between it and the raw tables. -#}
    {%- set inputs = {'views': [], 'tables': [], 'dimensions': []} -%}
    {%- set untracked = [] -%}
    {%- set carried_keys = [] -%} {#- a new version rewrites the rows of the model that has its key -#}
    {%- for parent in model.depends_on.nodes if parent in graph.nodes -%}
        {%- set node = graph.nodes[parent] -%}
        {%- if node.config.materialized == 'incremental' and not node.name.startswith('dim_') -%}
            {%- do carried_keys.extend(node.columns) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set code = [
        var('business_timezone'), var('first_week_start_date'), var('sales_lines'), model.checksum.checksum
    ] -%}
    {%- do code.extend(model.depends_on.nodes | sort) -%} {#- others, when a subject area is switched -#}
    {%- for column in model.columns.values() -%}
        {%- do code.append(column.name ~ column.data_type ~ column.constraints | map(attribute='type') | join(' ')) -%}
    {%- endfor -%}
    {%- for parent in model.depends_on.nodes | sort if parent in graph.nodes -%}
        {%- set node = graph.nodes[parent] -%}
        {%- set key = node.name | replace('dim_', '') ~ '_key' -%}
        {%- if node.name.startswith('dim_') -%}
            {%- if key in model.columns -%}
                {%- set id = node.name | replace('dim_', '') ~ '_id' -%}
                {%- do inputs.dimensions.append({
                    'name': node.name,
                    'relation': node.relation_name,
                    'key': key,
                    'id': id if id in node.columns and id in model.columns else none,
                    'is_versioned': 'valid_from' in node.columns,
                    'is_incremental': node.config.materialized == 'incremental',
                }) -%}
            {%- elif key not in carried_keys or 'valid_from' not in node.columns -%}
                {%- do untracked.append(node.name) -%}
            {%- endif -%}
        {%- elif node.config.materialized == 'incremental' -%}
            {%- do inputs.tables.append({'name': node.name, 'date_column': node.config.unique_key}) -%}
        {%- elif node.config.materialized == 'view' -%}
            {%- do code.append(node.checksum.checksum) -%}
            {%- for source in node.depends_on.nodes if source in graph.sources -%}
                {%- do inputs.views.append({
                    'name': node.name,
                    'relation': node.relation_name,
                    'schema': graph.sources[source].schema,
                    'table': graph.sources[source].identifier,
                }) -%}
            {%- endfor -%}
        {%- elif node.resource_type == 'seed' -%}
            {%- do code.append(node.checksum.checksum) -%}
        {%- else -%}
            {%- do untracked.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if untracked -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " is incremental and reads " ~ untracked | join(', ') ~ ", whose changes nobody would notice. "
            ~ "It may read staging views of raw tables, seeds, incremental models, dimensions whose key it has, and "
            ~ "versioned dimensions whose key an incremental model above has"
        ) }}
    {%- endif -%}
    {%- do inputs.update({'code_hash': local_md5(code | join('|'))}) -%}
    {{ return(inputs) }}
{%- endmacro %}

{% macro date_new_files(view) -%}
    {#- The business dates in files that came since the model's last build, found once: a file never changes. -#}
    {%- set date_column = config.get('unique_key') -%}
    {%- set new_files = run_query(
        "select file_id from " ~ loader_files() ~ " where status = 'loaded' and row_count > 0"
        ~ " and schema_name = '" ~ view.schema ~ "' and table_name = '" ~ view.table ~ "' and file_id not in ("
        ~ "select file_id from " ~ build_state('file_dates') ~ " where model_name = '" ~ model.name
        ~ "') order by file_id"
    ).columns[0].values() -%}
    {%- if new_files -%}
    create temporary table new_file_dates on commit drop as -- an insert would not run in parallel
    select _file_id as file_id, {{ date_column }} as business_date
    from {{ view.relation }}
    where _file_id in ({{ new_files | join(', ') }}) and {{ date_column }} is not null
    group by _file_id, {{ date_column }};
    insert into {{ build_state('file_dates') }} (model_name, file_id, business_date)
    select '{{ model.name }}', file_id, business_date from new_file_dates;
    drop table new_file_dates;
    {%- endif %}
{% endmacro %}

{% macro find_touched_dates() -%}
    {#- At the start of the model's transaction: which dates aren't built from what is there now. A date is touched if
        the set of its loaded files differs (new, replaced, removed), or a table above has replaced it, or a key on it
        would be another one: a version came, went or moved, or an unknown member became known. -#}
    {%- if not builds_by_date() -%}{{ return('') }}{%- endif -%}
    {%- set inputs = build_inputs() -%}
    {%- set date_column = config.get('unique_key') -%}
    {%- set selects = [] -%}
    {%- for view in inputs.views -%}
        {%- set select -%}
            select
                {{ 'file_dates.business_date' if date_column else build_epoch() }} as business_date,
                '{{ view.name }}:' || files.file_id as input
            from {{ loader_files() }} as files
            {%- if date_column %}
            inner join {{ build_state('file_dates') }} as file_dates on files.file_id = file_dates.file_id
                and file_dates.model_name = '{{ model.name }}'
            {%- endif %}
            where files.status = 'loaded' and files.row_count > 0
                and files.schema_name = '{{ view.schema }}' and files.table_name = '{{ view.table }}'
        {%- endset -%}
        {%- do selects.append(select) -%}
    {%- endfor -%}
    {%- for table in inputs.tables -%}
        {%- set is_weekly = table.date_column == 'week_start_date' and date_column != 'week_start_date' -%}
        {%- set select -%}
            select
                {% if not date_column %}{{ build_epoch() }}
                {%- elif is_weekly %}cast({{ dbt.dateadd('day', 'day_offset', 'dates.business_date') }} as date)
                {%- else %}dates.business_date{% endif %} as business_date,
                '{{ table.name }}:' || dates.business_date || ':' || dates.build_id as input
            from {{ build_state('dates') }} as dates
            {%- if is_weekly %}
            cross join (values (0), (1), (2), (3), (4), (5), (6)) as week_days (day_offset)
            {%- endif %}
            where dates.model_name = '{{ table.name }}'
        {%- endset -%}
        {%- do selects.append(select) -%}
    {%- endfor -%}

    {% if not is_incremental() -%}
        delete from {{ build_state('dates') }} where model_name = '{{ model.name }}';
        delete from {{ build_state('versions') }} where model_name = '{{ model.name }}';
    {%- endif %}
    {% for view in (inputs.views if date_column else []) %}{{ date_new_files(view) }}{% endfor %}
    create temporary table current_dates on commit drop as
    select business_date, md5(string_agg(input, ',' order by input)) as inputs_hash
    from ({{ selects | join('\nunion all\n') }}) as inputs
    group by business_date;

    create temporary table touched_dates on commit drop as
    select coalesce(current_dates.business_date, dates.business_date) as business_date
    from current_dates
    full join (
        select * from {{ build_state('dates') }} where model_name = '{{ model.name }}'
    ) as dates on current_dates.business_date = dates.business_date
    where current_dates.inputs_hash is distinct from dates.inputs_hash;

    {% for dimension in inputs.dimensions %}{{ find_changed_versions(dimension) }}{% endfor %}

    create temporary table touched_files on commit drop as
    select distinct file_dates.file_id
    from {{ build_state('file_dates') }} as file_dates
    inner join touched_dates on file_dates.business_date = touched_dates.business_date
    inner join {{ loader_files() }} as files
        on file_dates.file_id = files.file_id and files.status = 'loaded'
    where file_dates.model_name = '{{ model.name }}';
    analyze touched_dates;
    analyze touched_files;
{%- endmacro %}

{% macro find_changed_versions(dimension) -%}
    {#- The versions of a dimension that aren't what the model's keys were found in, and the dates of rows that would
        get another key. An incremental dimension that wasn't built since has none: nothing is compared. -#}
    {%- set date_column = config.get('unique_key') -%}
    {%- set changed = 'changed_' ~ dimension.name -%}
    create temporary table {{ changed }} on commit drop as
    select
        coalesce(members.{{ dimension.key }}, versions.dimension_key) as dimension_key,
        {%- if dimension.id %}
        members.{{ dimension.id }} as dimension_id,
        {%- endif %}
        members.valid_from,
        members.valid_to,
        members.attribute_hash,
        versions.dimension_key is null as is_new,
        members.attribute_hash is distinct from versions.attribute_hash as is_rewritten
    from (
        select {{ dimension.key }},
            {%- if dimension.id %} {{ dimension.id }},{% endif %}
            {%- if dimension.is_versioned %} valid_from, valid_to, attribute_hash
            {%- else %} {{ build_epoch() }} as valid_from, cast('9999-12-31' as date) as valid_to,
            cast(0 as bigint) as attribute_hash{% endif %}
        from {{ dimension.relation }}
    ) as members
    full join (
        select * from {{ build_state('versions') }}
        where model_name = '{{ model.name }}' and dimension_name = '{{ dimension.name }}'
    ) as versions on members.{{ dimension.key }} = versions.dimension_key
    where (
        members.{{ dimension.key }} is null or versions.dimension_key is null
        or members.valid_from <> versions.valid_from or members.valid_to <> versions.valid_to
        or members.attribute_hash <> versions.attribute_hash
    )
    {%- if dimension.is_incremental and is_incremental() %}
    and not exists (
        select 1
        from {{ build_state('dimensions') }} as known
        inner join {{ build_state('dates') }} as dates on known.dimension_name = dates.model_name
        where known.model_name = '{{ model.name }}' and known.dimension_name = '{{ dimension.name }}'
            and known.build_id = dates.build_id
    )
    {%- endif %};
    {%- if is_incremental() and not date_column %}
    insert into touched_dates (business_date)
    select {{ build_epoch() }} where exists (select 1 from {{ changed }});
    {%- elif is_incremental() %}
    analyze {{ changed }};
    insert into touched_dates (business_date)
    select facts.{{ date_column }}
    from {{ this }} as facts
    inner join {{ changed }} as changed on facts.{{ dimension.key }} = changed.dimension_key
    where not changed.is_new and (
        changed.is_rewritten or facts.{{ date_column }} < changed.valid_from
        or facts.{{ date_column }} >= changed.valid_to
    )
    union
    select facts.{{ date_column }}
    from {{ this }} as facts
    inner join {{ changed }} as changed
        on facts.{{ date_column }} >= changed.valid_from and facts.{{ date_column }} < changed.valid_to
            {%- if dimension.id %} and facts.{{ dimension.id }} = changed.dimension_id{% endif %}
    where facts.{{ dimension.key }} = 0;
    {%- endif %}
{%- endmacro %}

{% macro remember_build() -%}
    {#- At the end of the model's transaction: what it was built from, and fresh statistics after a whole build. -#}
    {%- if not builds_by_date() -%}{{ return('') }}{%- endif -%}
    {%- set inputs = build_inputs() -%}
    {%- set build_id = (run_started_at.timestamp() * 1000000) | int -%}
    delete from {{ build_state('dates') }}
    where model_name = '{{ model.name }}' and business_date in (select business_date from touched_dates);
    insert into {{ build_state('dates') }} (model_name, business_date, inputs_hash, build_id)
    select '{{ model.name }}', business_date, inputs_hash, {{ build_id }}
    from current_dates
    where business_date in (select business_date from touched_dates);
    {% for dimension in inputs.dimensions %}
    delete from {{ build_state('versions') }}
    where model_name = '{{ model.name }}' and dimension_name = '{{ dimension.name }}'
        and dimension_key in (select dimension_key from changed_{{ dimension.name }} where not is_new);
    insert into {{ build_state('versions') }}
        (model_name, dimension_name, dimension_key, valid_from, valid_to, attribute_hash)
    select '{{ model.name }}', '{{ dimension.name }}', dimension_key, valid_from, valid_to, attribute_hash
    from changed_{{ dimension.name }}
    where valid_from is not null;
    {%- if dimension.is_incremental %}
    insert into {{ build_state('dimensions') }} (model_name, dimension_name, build_id)
    select '{{ model.name }}', '{{ dimension.name }}', build_id
    from {{ build_state('dates') }}
    where model_name = '{{ dimension.name }}'
    on conflict (model_name, dimension_name) do update set build_id = excluded.build_id;
    {%- endif %}
    {% endfor %}
    {%- if not is_incremental() %}
    {%- if inputs.dimensions and config.get('unique_key') %}
    create index on {{ this }} ({{ config.get('unique_key') }}) where
        {%- for dimension in inputs.dimensions %} {{ dimension.key }} = 0{{ ' or' if not loop.last }}{% endfor %};
    {%- endif %}
    analyze {{ this }};
    insert into {{ build_state('models') }} (model_name, code_hash)
    values ('{{ model.name }}', '{{ inputs.code_hash }}')
    on conflict (model_name) do update set code_hash = excluded.code_hash;
    {%- endif %}
{%- endmacro %}
