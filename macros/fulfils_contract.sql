{% macro fulfils_contract(relation, contract) -%}
    {#- The body of a test: a sentence for each way in which a staging view isn't what its contract, a text of YAML,
        asks for. Columns that it has beside those of the contract are its own. -#}
    {%- set contract = fromyaml(contract) -%}
    {%- for name, value in (contract.unique_if or {}).items() if var(name) != value -%}
        {%- do contract.update({'unique': none}) -%}
    {%- endfor -%}
    {%- set have = {} -%}
    {%- if looks_up() -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do have.update({column.name: column.dtype}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set faults, counts = [], [] -%}
    {%- for name, asked in contract.columns.items() -%}
        {%- set type = have.get(name) -%}
        {%- if type is none and looks_up() -%}
            {%- set near = nearest(name, have | reject('in', contract.columns) | list) -%}
            {%- do faults.append(
                'has no column ' ~ name ~ ' (' ~ asked.type ~ '): ' ~ asked.meaning
                ~ (' It has ' ~ near ~ ' (' ~ have[near] ~ '): is it that?' if near)
            ) -%}
        {%- elif type is not none and type.split('(')[0] not in types_for(asked.type) -%}
            {%- do faults.append(name ~ ' is ' ~ type ~ ', and must be ' ~ asked.type ~ ': ' ~ asked.meaning) -%}
        {%- else -%}
            {%- if not asked.may_be_null -%}
                {%- do counts.append((name ~ ' is null', name ~ ' is null: ' ~ asked.meaning)) -%}
            {%- endif -%}
            {%- if asked.type == 'money' -%}
                {%- do counts.append((name ~ ' <> round(' ~ name ~ ', 2)', name ~ ' has more than 2 decimals')) -%}
            {%- endif -%}
            {%- if asked.check -%}
                {%- do counts.append(('not (' ~ asked.check ~ ')', name ~ ' is not as it must be: ' ~ asked.check)) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if faults or not execute -%}
        {{ return(sentences(contract, faults)) }}
    {%- endif -%}
    {{ return(broken_rows(relation, contract, counts)) }}
{%- endmacro %}

{% macro nearest(name, others) -%}
    {#- The one of the other names that shares most pairs of neighbouring letters with a name, at least half of them
        (Dice's coefficient); none if there is none. Underscores and capitals don't count. -#}
    {%- set best = namespace(name=none, likeness=0.5) -%}
    {%- set wanted = letter_pairs(name) -%}
    {%- for other in others -%}
        {%- set have = letter_pairs(other) -%}
        {%- set likeness = 2 * (wanted | select('in', have) | list | length) / ((wanted + have) | length or 1) -%}
        {%- if likeness >= best.likeness -%}{%- set best.name, best.likeness = other, likeness -%}{%- endif -%}
    {%- endfor -%}
    {{ return(best.name) }}
{%- endmacro %}

{% macro letter_pairs(name) -%}
    {#- Each once. -#}
    {%- set letters = name | lower | replace('_', '') -%}
    {%- set pairs = [] -%}
    {%- for place in range(letters | length - 1) -%}{%- do pairs.append(letters[place:place + 2]) -%}{%- endfor -%}
    {{ return(pairs | unique | list) }}
{%- endmacro %}

{% macro looks_up() -%}
    {#- Whether a node may ask the database while it is compiled: not under `dbt compile --no-introspect`, which takes
        for granted that everything is there. -#}
    {{ return(execute and flags.INTROSPECT is not sameas false) }}
{%- endmacro %}

{% macro types_for(asked) -%}
    {#- The types of columns, as the database names them, that are good for what a contract asks for. -#}
    {{ return(adapter.dispatch('types_for')(asked)) }}
{%- endmacro %}

{% macro spark__types_for(asked) -%}
    {%- set good = {'money': ['decimal'], 'numeric': ['decimal']} -%}
    {{ return(good.get(asked.split('(')[0], [engine_type(asked)])) }}
{%- endmacro %}

{% macro postgres__types_for(asked) -%}
    {%- set good = {'money': ['numeric'], 'timestamptz': ['timestamp with time zone']} -%}
    {%- set base = asked.split('(')[0] -%}
    {{ return(good.get(base, [base])) }}
{%- endmacro %}

{% macro sentences(contract, faults) -%}
    {%- for fault in faults %}
        {%- set sentence = contract.view ~ ' ' ~ fault ~ ' (journey contract ' ~ contract.area ~ ')' %}
        select '{{ sentence | replace("'", "''") }}' as message
        {% if not loop.last %}union all{% endif %}
    {%- else %}
        select cast(null as {{ dbt.type_string() }}) as message
        where 1 = 0
    {%- endfor %}
{%- endmacro %}

{% macro broken_rows(relation, contract, counts) -%}
    {#- Rows, keys that come again (and the file that one of them came from), and columns that have several values where
        a key has one. -#}
    {%- set told = [] -%}
    {%- for _, fault in counts -%}
        {%- do told.append(('counted', 'count_' ~ loop.index, ' rows whose ' ~ fault)) -%}
    {%- endfor -%}
    {%- set files = readable_source(graph.sources['source.' ~ project_name ~ '.loader.files']) -%}
    {%- set ledger = adapter.get_relation(files.database, files.schema, files.identifier)
        if looks_up() else files -%}
    {%- if contract.unique -%}
        {%- do told.append(('repeated', 'repeated_count', ' times the same ' ~ contract.unique | join(', '))) -%}
    {%- endif -%}
    {%- for key, names in (contract.one or {}).items() -%}
        {%- set source = 'several_of_' ~ key -%}
        {%- for name in names -%}
            {%- do told.append((source, name, ' times a ' ~ key ~ ' with more than one ' ~ name)) -%}
        {%- endfor -%}
    {%- endfor -%}
    with counted as (
        select
            {%- for condition, _ in counts %}
                sum(case when {{ condition }} then 1 else 0 end) as count_{{ loop.index }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }}
    )
    {%- if contract.unique %},

        repeated as (
            select
                count(*) as repeated_count,
                max(newest_file_id) as newest_file_id
            from (
                select {{ 'max(_file_id)' if '_file_id' in contract.columns else 'null' }} as newest_file_id
                from {{ relation }} {{ with_all_of(contract.unique[0]) }}
                group by {{ contract.unique | join(', ') }}
                having count(*) > 1
            ) as keys
        )
    {%- endif %}
    {%- for key, names in (contract.one or {}).items() %},

        several_of_{{ key }} as (
            select
                {%- for name in names %}
                    sum(case
                        when smallest_{{ name }} <> largest_{{ name }} or count_{{ name }} not in (0, rows_count) then 1
                        else 0
                    end) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from (
                select
                    {%- for name in names %}
                        min({{ name }}) as smallest_{{ name }},
                        max({{ name }}) as largest_{{ name }},
                        count({{ name }}) as count_{{ name }},
                    {%- endfor %}
                    count(*) as rows_count
                from {{ relation }} {{ with_all_of(key) }}
                group by {{ key }}
            ) as keys
        )
    {%- endfor %}
    {%- for source, measure, fault in told %}
        select
            '{{ contract.view }}: ' || {{ measure }}
            || '{{ fault | replace("'", "''") }}'
            {%- if source == 'repeated' and ledger and '_file_id' in contract.columns %}
            || coalesce(
                ', as in '
                || (select max(files.key) from {{ ledger }} as files where files.file_id = newest_file_id), ''
            )
            {%- endif %}
            || ' (journey contract {{ contract.area }})' as message
        from {{ source }}
        where {{ measure }} > 0
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{%- endmacro %}
