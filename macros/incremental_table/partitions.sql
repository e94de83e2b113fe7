{% macro touched_partitions(inputs, is_whole) -%}
    {#- By start date of each partition that isn't built from what is there now, the hash of what it is to be built
        from; none for one that is gone. A partition is touched if the set of its loaded files is another one, or a
        partition that it reads was built again, or a row in it would get another key. -#}
    {%- if not inputs.files + inputs.partitioned + inputs.spans -%}{{ return({}) }}{%- endif -%}
    {%- for file_input in inputs.files -%}{%- do date_new_files(file_input) -%}{%- endfor -%}
    {%- set moved = [] -%}
    {%- for dimension in inputs.members if not is_whole and find_moved_members(dimension) -%}
        {%- do moved.append(partitions_of_moved_rows(dimension)) -%}
    {%- endfor -%}
    {%- set there = [] -%}
    {%- for file_input in inputs.files -%}{%- do there.append(partitions_of_files(file_input)) -%}{%- endfor -%}
    {%- for table in inputs.partitioned -%}{%- do there.append(partitions_above(table, inputs.spans)) -%}{%- endfor -%}
    {%- for table in inputs.spans -%}{%- do there.append(partitions_listed(table)) -%}{%- endfor -%}
    {%- set query -%}
        with inputs_there as (
            {{ there | join('\nunion all\n') }}
        ),
        inputs as (
            select partition_start, input from inputs_there
            {%- for table in inputs.partitioned if table.before is not none %}
            union all
            {{ partitions_before(table) }}
            {%- endfor %}
        ),
        present as (
            select partition_start, {{ hash_of_set('input') }} as inputs_hash from inputs group by partition_start
        ),
        built as (
            select partition_start, inputs_hash from {{ state_table('partitions') }}
            where model_name = '{{ model.name }}'
        )
        select
            coalesce(present.partition_start, built.partition_start) || ' ' || coalesce(present.inputs_hash, 'gone')
        from present
        full join built on present.partition_start = built.partition_start
        where present.inputs_hash is distinct from built.inputs_hash
            {%- if moved %}
            or coalesce(present.partition_start, built.partition_start) in (
                {{ moved | join('\nunion all\n') }}
            )
            {%- endif %}
        order by 1
    {%- endset -%}
    {%- set touched = {} -%}
    {%- for row in run_query(query).rows -%}
        {%- set start, hash = row[0].split(' ') -%}
        {%- do touched.update({modules.datetime.date.fromisoformat(start): none if hash == 'gone' else hash}) -%}
    {%- endfor -%}
    {{ return(touched) }}
{%- endmacro %}

{% macro is_most(partitions) -%}
    {#- Whether some partitions are more than half of many: to write all of them anew in parallel, into a table without
        an index, costs less than to replace so many. -#}
    {{ return(partitions | length > 10 and run_query(
        "select count(*) < " ~ 2 * partitions | length ~ " from " ~ state_table('partitions') ~ " where model_name = '"
        ~ model.name ~ "'"
    ).rows[0][0]) }}
{%- endmacro %}

{% macro partitions_of_files(file_input) -%}
    {#- The partitions of the files that are loaded now, with what the view shows of each. -#}
    select
        dates.partition_start,
        '{{ file_input.name }}:' || dates.file_id || coalesce(':' || dates.rows_hash, '') as input
    from {{ state_table('files') }} as dates
    inner join {{ loader_ledger() }} as ledger on dates.file_id = ledger.file_id
    where dates.model_name = '{{ model.name }}' and {{ loaded_files(file_input) }}
{%- endmacro %}

{% macro partitions_listed(table) -%}
    {#- The partitions that the table of spans lists, with what it says of each. -#}
    {%- set field = config.get('partition_by').field -%}
    select
        {{ field }} as partition_start,
        '{{ table.name }}:'
        || {{ hash_of_set('cast(' ~ row_hash('spans') ~ ' as ' ~ dbt.type_string() ~ ')') }} as input
    from {{ table.relation }} as spans
    where {{ field }} is not null
    group by {{ field }}
{%- endmacro %}

{% macro spans_of(table) -%}
    {#- The first and last day that each partition reads. -#}
    {%- set partition_by = config.get('partition_by') -%}
    select
        {{ partition_by.field }} as partition_start,
        min({{ partition_by.spans.first }}) as first_day,
        max({{ partition_by.spans.last }}) as last_day
    from {{ table.relation }}
    where {{ partition_by.field }} is not null
    group by {{ partition_by.field }}
{%- endmacro %}

{% macro partitions_above(table, spans) -%}
    {#- For each partition of an input, those of the model that share a day with it, or read one of its days. -#}
    {%- if spans %}
    select
        spans.partition_start,
        '{{ table.name }}:' || below.partition_start || ':' || below.content_id as input
    from ({{ spans_of(spans[0]) }}) as spans
    inner join {{ state_table('partitions') }} as below
        on below.partition_start <= spans.last_day
            and {{ partition_end(table.partition_by.granularity, 'below.partition_start') }} >= spans.first_day
    where below.model_name = '{{ table.name }}'
    {%- else -%}
    {%- set granularity, below = config.get('partition_by').granularity, table.partition_by.granularity -%}
    {%- set is_one = below in ('day', granularity) or granularity == 'year' and below == 'month' -%}
    {%- set day = dbt.dateadd('day', 'day_offset', 'below.partition_start') -%}
    select distinct
        {{ partition_start(granularity, 'below.partition_start' if is_one else day) }} as partition_start,
        '{{ table.name }}:' || below.partition_start || ':' || below.content_id as input
    from {{ state_table('partitions') }} as below
    {%- if not is_one %}
    cross join (
        values (0){% for offset in range(1, 366 if below == 'year' else 31) %}, ({{ offset }}){% endfor %}
    ) as days (day_offset)
    {%- endif %}
    where below.model_name = '{{ table.name }}'
        {%- if not is_one %} and {{ partition_start(below, day) }} = below.partition_start{% endif %}
    {%- endif -%}
{%- endmacro %}

{% macro partitions_before(table) -%}
    {#- For each partition of the model, those of an input that come before it and are read with it. -#}
    select
        starts.partition_start,
        '{{ table.name }}:' || below.partition_start || ':' || below.content_id as input
    from (select distinct partition_start from inputs_there) as starts
    inner join {{ state_table('partitions') }} as below
        on
            below.partition_start < starts.partition_start
            {%- if table.before != 'all' %}
            and below.partition_start
            >= {{ dbt.dateadd(config.get('partition_by').granularity, 0 - table.before, 'starts.partition_start') }}
            {%- endif %}
    where below.model_name = '{{ table.name }}'
{%- endmacro %}

{% macro partition_start(granularity, day) -%}
    cast({{ dbt.date_trunc(granularity, day) }} as date)
{%- endmacro %}

{% macro partition_end(granularity, start) -%}
    {#- An expression: the last day of a partition. -#}
    cast({{ dbt.dateadd('day', -1, dbt.dateadd(granularity, 1, start)) }} as date)
{%- endmacro %}

{% macro date_new_files(file_input) -%}
    {#- Remember the partitions of each file that came since, for a file never changes; of each file, where the view
        shows rows of one file by what is in another. -#}
    {%- set is_plain = shows_rows_one_by_one(file_input.relation) -%}
    {%- set dated = " and file_id not in (select file_id from " ~ state_table('files') ~ " where model_name = '"
        ~ model.name ~ "')" -%}
    {%- set files = run_query(
        "select file_id from " ~ loader_ledger() ~ " where " ~ loaded_files(file_input) ~ (dated if is_plain else '')
        ~ " order by file_id"
    ).columns[0].values() -%}
    {%- if files -%}
        {%- do remember_files(file_input, files, with_rows=not is_plain) -%}
    {%- endif -%}
{%- endmacro %}

{% macro touched_files(file_input, partitions) -%}
    {#- The files of an input that have rows in some partitions. -#}
    {{ return(run_query(
        "select distinct dates.file_id from " ~ state_table('files') ~ " as dates inner join " ~ loader_ledger()
        ~ " as ledger on dates.file_id = ledger.file_id where dates.model_name = '" ~ model.name ~ "' and "
        ~ loaded_files(file_input) ~ " and partition_start in (" ~ as_dates(partitions) ~ ") order by dates.file_id"
    ).columns[0].values()) }}
{%- endmacro %}

{% macro days_read(inputs, partitions) -%}
    {#- The days of which some partitions read the inputs: their own, or those that the table of spans says. -#}
    {%- if not inputs.spans -%}{{ return(days_of(partitions, config.get('partition_by').granularity)) }}{%- endif -%}
    {%- set days = {} -%}
    {%- for start in partitions -%}{%- do days.update({start: none}) -%}{%- endfor -%}
    {%- set query -%}
        select cast(first_day as {{ dbt.type_string() }}), cast(last_day as {{ dbt.type_string() }})
        from ({{ spans_of(inputs.spans[0]) }}) as spans where partition_start in ({{ as_dates(partitions) }})
    {%- endset -%}
    {%- for first, last in run_query(query).rows if first -%}
        {%- set day = modules.datetime.date.fromisoformat(first) -%}
        {%- for offset in range((modules.datetime.date.fromisoformat(last) - day).days + 1) -%}
            {%- do days.update({day + modules.datetime.timedelta(days=offset): none}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(days.keys() | list) }}
{%- endmacro %}

{% macro days_of(partitions, granularity) -%}
    {#- The days in some partitions. -#}
    {%- set days = [] -%}
    {%- for start in partitions -%}
        {%- for offset in range({'day': 1, 'week': 7, 'month': 31, 'year': 366}[granularity]) -%}
            {%- set day = start + modules.datetime.timedelta(days=offset) -%}
            {%- set is_in = {'month': day.month == start.month, 'year': day.year == start.year} -%}
            {%- if is_in.get(granularity, true) -%}{%- do days.append(day) -%}{%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}

{% macro partitions_of(days, granularity) -%}
    {#- The partitions in which some days are. -#}
    {%- set starts = {} -%}
    {%- for day in days -%}
        {%- set back = {
            'day': 0, 'week': day.weekday(), 'month': day.day - 1, 'year': day.timetuple().tm_yday - 1
        }[granularity] -%}
        {%- do starts.update({day - modules.datetime.timedelta(days=back): true}) -%}
    {%- endfor -%}
    {{ return(starts.keys() | list) }}
{%- endmacro %}

{% macro is_among(field, starts, granularity) -%}
    {#- A condition: a partition is one of some. Days in a row are a range, for a year of single dates is looked up one
        by one. -#}
    {%- set is_range = (starts | max - starts | min).days + 1 == starts | length -%}
    {%- if granularity == 'day' and starts | length > 1 and is_range -%}
        {{ field }} >= {{ as_dates([starts | min]) }} and {{ field }} <= {{ as_dates([starts | max]) }}
    {%- else -%}
        {{ field }} in ({{ as_dates(starts) }})
    {%- endif -%}
{%- endmacro %}

{% macro as_dates(partitions) -%}
    {%- for start in partitions -%}cast('{{ start }}' as date){{ ', ' if not loop.last }}{%- endfor -%}
{%- endmacro %}
