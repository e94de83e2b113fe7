{#- The SQL that sums a mart's headline figures on both sides of a publication, and says what moved each period. -#}

{% macro record_mart(node, number, before, note, changed, found) -%}
    {#- Writes a mart's figures, and how they moved from publication `before` to `number`; where there is no comparison,
        and `note` says why, the figures alone. `changed` is what changed_inputs returned, `found` what catalogue
        did. -#}
    {%- set headline, built = headline_of(node), built_schema() -%}
    {%- set mart = mart_folder(node) | trim ~ '.' ~ node.alias -%}
    {%- set old = side_of(node, before, found) if not note else none -%}
    {%- set causes = {'seen': [], 'readers': [node.name], 'code': [], 'seeds': []} -%}
    {%- if not note -%}
        {%- if node.name in changed.code -%}{%- do causes.code.append(node.name) -%}{%- endif -%}
        {%- do collect_causes(node, changed, causes) -%}
    {%- endif -%}
    {%- set new_measures, sums, pairs = [], [], [] -%}
    {%- for measure in headline.measures -%}
        {%- if not note and measure not in old.columns -%}{%- do new_measures.append(measure) -%}{%- endif -%}
        {%- do sums.append(
            "coalesce(sum(" ~ measure ~ ") filter (where not is_new), 0) as before_" ~ loop.index
            ~ ", coalesce(sum(" ~ measure ~ ") filter (where is_new), 0) as after_" ~ loop.index
        ) -%}
        {%- do pairs.append("('" ~ measure ~ "', before_" ~ loop.index ~ ", after_" ~ loop.index ~ ")") -%}
    {%- endfor -%}
    {%- set period = headline.period or "'all'" -%}
    {%- set type = node.columns[headline.period].data_type if headline.period else 'text' -%}
    {%- set measures = headline.measures | join(', ') -%}
    {#- code and seeds explain a date that no changed file has rows of, so that files of other dates need not -#}
    {%- set is_narrow = headline.unit not in (none, 'period') and (causes.code or causes.seeds) -%}
    {%- set is_compared = 'false' if note else 'true' -%}
    {%- set as_new = "'" ~ new_measures | join("', '") ~ "'" -%}
    {%- do run_query("
        with sides as (
            select " ~ period ~ " as period, true as is_new, " ~ measures
            ~ " from " ~ side_of(node, number, found).rows ~ " where (" ~ headline.where ~ ")"
            ~ (" union all select " ~ period ~ ", false, " ~ measures
            ~ " from " ~ old.rows ~ " where (" ~ headline.where ~ ")" if old else "")
            ~ " union all select null, true" ~ ", 0" * headline.measures | length ~ "
        ),
        sums as (select period, " ~ sums | join(', ') ~ " from sides group by period),
        figures as (
            select sums.period, one.measure, one.before_amount, one.after_amount
            from sums
            cross join lateral (values " ~ pairs | join(', ') ~ ") as one (measure, before_amount, after_amount)
        ),
        written as (
            insert into " ~ built ~ ".published_figures
            select " ~ number ~ ", '" ~ mart ~ "', measure,
                case when " ~ is_compared ~ " and measure not in (" ~ as_new ~ ") then sum(before_amount) end,
                sum(after_amount), " ~ ("'" ~ headline.unit ~ "'" if headline.unit else 'null') ~ ",
                " ~ ("'" ~ note ~ "'" if note else "case when measure in (" ~ as_new ~ ") then 'new measure' end") ~ "
            from figures group by measure
        ),
        moved as (
            select period, measure, after_amount - before_amount as amount from figures
            where " ~ is_compared ~ " and before_amount <> after_amount and measure not in (" ~ as_new ~ ")
        ),
        upstream as (
            select cause, key, first_date, last_date from " ~ built ~ ".publication_files
            where name in ('" ~ causes.readers | join("', '") ~ "')
        ),
        own as (" ~ own_files(headline, type) ~ "),
        others as (select cause, key from upstream " ~ ("where first_date is null" if is_narrow else "") ~ "),
        owned as (select period, array_agg(distinct cause) as causes from own group by period),
        told as (
            select moved.period, moved.measure, moved.amount, owned.causes is not null as is_own,
                array_remove(array[
                    case when 'new files' = any(files.causes) then 'new files' end,
                    case when 'restated files' = any(files.causes) then 'restated files' end,
                    case when 'withdrawn files' = any(files.causes) then 'withdrawn files' end"
                    ~ (", 'code'" if causes.code else "") ~ (", 'seeds'" if causes.seeds else "") ~ "
                ], null) as causes
            from moved
            left join owned on moved.period = owned.period
            cross join (select array_agg(distinct cause) as causes from others) as every
            cross join lateral (select coalesce(owned.causes, every.causes, '{}') as causes) as files
        ),
        parts as (
            select measure, causes, sum(amount) as amount, count(*) as periods_count, bool_and(is_own) as is_own,
                array_agg(period) as periods
            from told group by measure, causes
        )
        insert into " ~ built ~ ".published_changes
        select " ~ number ~ ", '" ~ mart ~ "', parts.measure,
            coalesce(nullif(array_to_string(parts.causes, ' and '), ''), 'unknown'), parts.amount,
            " ~ ("parts.periods_count" if headline.unit else "null") ~ ", files.files_count, files.files,
            case when 'code' = any(parts.causes) then " ~ as_texts(causes.code) ~ " end,
            case when 'seeds' = any(parts.causes) then " ~ as_texts(causes.seeds) ~ " end
        from parts
        cross join lateral (
            select count(*) as files_count, (array_agg(key order by key))[:5] as files
            from (
                select key from own where period = any(parts.periods) and cause = any(parts.causes)
                union
                select key from others where not parts.is_own and cause = any(parts.causes)
            ) as named
        ) as files
    ") -%}
{%- endmacro %}

{% macro side_of(node, publication, found) -%}
    {#- The rows of a mart in a publication: a dict of `rows`, a select with all columns of the mart, and `columns`,
        those that the table has; one that it lacks, or has of another type, is null, but for measures. -#}
    {%- set built = built_schema() ~ '.' ~ node.alias -%}
    {%- set numbers = numbers_of(node.alias, found) | select('le', publication) | list -%}
    {%- set table = built ~ '__' ~ (numbers | last) -%}
    {%- set columns, there, now = [], found[table].columns, found[built].columns -%}
    {%- for name in node.columns -%}
        {%- set is_same = there.get(name) == now[name] or name in headline_of(node).measures and name in there -%}
        {%- do columns.append(name if is_same else 'cast(null as ' ~ now[name] ~ ') as ' ~ name) -%}
    {%- endfor -%}
    {{ return({
        'columns': there,
        'rows': '(select ' ~ columns | join(', ') ~ ' from ' ~ table ~ ' where from_publication <= ' ~ publication
            ~ ' and (to_publication is null or to_publication > ' ~ publication ~ ')) as mart_rows',
    }) }}
{%- endmacro %}

{% macro own_files(headline, type) -%}
    {#- A select: the changed files that have rows in a period that moved. Of a period that is no date nobody knows. -#}
    {%- if headline.unit in (none, 'period') -%}
        select cast(null as {{ type }}) as period, cause, key from upstream where false
    {%- else -%}
        select distinct moved.period, upstream.cause, upstream.key
        from moved
        inner join upstream
            on upstream.first_date <= {{ partition_end(headline.unit, 'moved.period') }}
                and upstream.last_date >= moved.period
    {%- endif -%}
{%- endmacro %}

{% macro as_texts(names) -%}
    {#- An array of the first five. -#}
    cast(array[{% for name in names[:5] %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}] as text[])
{%- endmacro %}
