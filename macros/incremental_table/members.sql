{% macro find_moved_members(dimension) -%}
    {#- Put into a temporary table the members of a dimension (or their versions) that aren't what the model's keys were
        found in; whether there are any. -#}
    {%- set seen = "(select content_id from " ~ state_table('dimensions') ~ " where model_name = '" ~ model.name
        ~ "' and dimension_name = '" ~ dimension.name ~ "')" -%}
    {%- if run_query("select " ~ seen ~ " is not distinct from " ~ state_of(dimension)).rows[0][0] -%}
        {%- do dimension.update({'is_as_seen': true}) -%}
        {{ return(false) }}
    {%- elif members_are_lost(dimension) -%}
        {%- do dimension.update({'is_lost': true}) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set query -%}
        select
            coalesce(members.member_key, remembered.member_key) as member_key,
            {%- if dimension.id %}
            members.member_id,
            {%- endif %}
            members.valid_from,
            members.valid_to,
            remembered.member_key is null as is_new,
            members.attribute_hash is distinct from remembered.attribute_hash as is_rewritten
        from ({{ members_of(dimension) }}) as members
        full join (
            select * from {{ state_table('members') }}
            where model_name = '{{ model.name }}' and dimension_name = '{{ dimension.name }}'
        ) as remembered on members.member_key = remembered.member_key
        where members.member_key is null
            {%- if not dimension.is_joined %} or remembered.member_key is null{% endif %}
            or members.valid_from <> remembered.valid_from or members.valid_to <> remembered.valid_to
            or members.attribute_hash <> remembered.attribute_hash
    {%- endset -%}
    {%- do put_aside('moved_' ~ dimension.name, query) -%}
    {{ return(run_query(
        'select count(*) > 0 from (select 1 from moved_' ~ dimension.name ~ ' limit 1) as some_rows'
    ).rows[0][0]) }}
{%- endmacro %}

{% macro members_of(dimension) -%}
    {#- A dimension's members; one that has no versions holds for all time. Of the attributes, those count that the
        model reads: a sum that moves each day touches no fact that takes the key alone. -#}
    {%- set read = attributes_read(dimension) -%}
    select
        {{ dimension.key }} as member_key,
        {%- if dimension.id %}
        {{ dimension.id }} as member_id,
        {%- endif %}
        {{ 'valid_from' if dimension.is_versioned else "cast('1900-01-01' as date)" }} as valid_from,
        {{ 'valid_to' if dimension.is_versioned else "cast('9999-12-31' as date)" }} as valid_to,
        {{ surrogate_key(read) if read else 'cast(0 as bigint)' }} as attribute_hash
    from {{ dimension.relation }} as dimension
{%- endmacro %}

{% macro attributes_read(dimension) -%}
    {#- The attributes that the model's select names: qualified by the CTE that imports the dimension, or in any way,
        where the CTE is read alone. All of them, if no CTE imports it, or with a star. -#}
    {%- set code = model.compiled_code -%}
    {%- set imported = modules.re.search(
        '(\\w+) as \\(\\s*select \\* from ' ~ modules.re.escape(dimension.relation) ~ '\\s*\\)', code
    ) -%}
    {%- if not imported -%}{{ return(dimension.attributes) }}{%- endif -%}
    {%- set cte = imported.group(1) -%}
    {%- if modules.re.search('\\b' ~ cte ~ '\\.\\*|\\*\\s+from ' ~ cte ~ '\\b', code) -%}
        {{ return(dimension.attributes) }}
    {%- endif -%}
    {%- set is_alone = modules.re.search('from ' ~ cte ~ '\\b', code) -%}
    {%- set read = [] -%}
    {%- for attribute in dimension.attributes -%}
        {%- if modules.re.search(('' if is_alone else cte ~ '\\.') ~ '\\b' ~ attribute ~ '\\b', code) -%}
            {%- do read.append(attribute) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- whoever reads this model may read the others by its key: a version that is rewritten touches its rows -#}
    {%- if dimension.is_versioned and 'attribute_hash' in dimension.attributes -%}
        {%- do read.append('attribute_hash') -%}
    {%- endif -%}
    {{ return(read) }}
{%- endmacro %}

{% macro partitions_of_moved_rows(dimension) -%}
    {#- The partitions with rows whose key would be another one: their version moved, went or was rewritten, or they had
        none and one came. -#}
    {%- if dimension.is_joined or dimension.is_lost -%} {#- nothing in the rows says whose they are, or were -#}
        {{ return("select partition_start from " ~ state_table('partitions') ~ " where model_name = '" ~ model.name
            ~ "'") }}
    {%- endif -%}
    {%- set day = config.get('partition_by').field -%}
    {%- set moved = 'moved_' ~ dimension.name -%}
    select facts.{{ day }}
    from {{ built_relation(model) }} as facts
    inner join {{ moved }} as moved on facts.{{ dimension.key }} = moved.member_key
    where not moved.is_new and (
        moved.is_rewritten or facts.{{ day }} < moved.valid_from or facts.{{ day }} >= moved.valid_to
    )
    union
    select facts.{{ day }}
    from {{ built_relation(model) }} as facts
    inner join {{ moved }} as moved
        on facts.{{ day }} >= moved.valid_from and facts.{{ day }} < moved.valid_to
            {%- if dimension.id %} and facts.{{ dimension.id }} = moved.member_id{% endif %}
    where facts.{{ dimension.key }} = 0
{%- endmacro %}

{% macro members_are_lost(dimension) -%}
    {#- Whether nobody knows any more in which members the model's keys were found. -#}
    {{ return(adapter.dispatch('members_are_lost')(dimension)) }}
{%- endmacro %}

{% macro default__members_are_lost(dimension) -%}
    {{ return(false) }}
{%- endmacro %}

{% macro remember_members(dimension) -%}
    {#- In which members the model's keys were found. -#}
    {{ return(adapter.dispatch('remember_members')(dimension)) }}
{%- endmacro %}

{% macro postgres__remember_members(dimension) -%} {#- few change, of many -#}
    {%- set ours = "model_name = '" ~ model.name ~ "' and dimension_name = '" ~ dimension.name ~ "'" -%}
    {%- set columns = 'member_key, valid_from, valid_to, attribute_hash' -%}
    {%- do run_query("delete from " ~ state_table('members') ~ " where " ~ ours ~ " and (" ~ columns ~ ") not in ("
        ~ "select " ~ columns ~ " from (" ~ members_of(dimension) ~ ") as members); insert into "
        ~ state_table('members') ~ " (model_name, dimension_name, " ~ columns ~ ") select '"
        ~ model.name ~ "', '" ~ dimension.name ~ "', " ~ columns ~ " from (" ~ members_of(dimension) ~ ") as members"
        ~ " where member_key not in (select member_key from " ~ state_table('members') ~ " where " ~ ours ~ ")") -%}
    {%- do replace_state('dimensions', ours, {
        'model_name': "'" ~ model.name ~ "'", 'dimension_name': "'" ~ dimension.name ~ "'",
        'content_id': state_of(dimension),
    }) -%}
{%- endmacro %}
