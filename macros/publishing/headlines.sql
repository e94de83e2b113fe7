{#- A mart's headline figures are declared beside it, under `config.meta.headline`; models/marts/README.md says how.
    Here the declaration is read and checked. -#}

{% macro headline_of(node) -%}
    {#- What a mart declares, with defaults: a dict of `measures`, `period` (a column, or none), `unit` (of the period:
        day, week or month of a date; `period` of anything else; none without one), `where` (a condition). None if the
        mart declares no figure. -#}
    {%- set said = node.config.meta.get('headline') -%}
    {%- if not said or not said.measures -%}{{ return(none) }}{%- endif -%}
    {%- set period = said.get('period') -%}
    {%- set is_date = period and node.columns[period].data_type == 'date' -%}
    {{ return({
        'measures': said.measures, 'period': period, 'where': said.get('where', 'true'),
        'unit': said.get('granularity', 'day') if is_date else 'period' if period else none,
    }) }}
{%- endmacro %}

{% macro check_headlines() -%}
    {#- On run start: stops dbt, before anything is built, if a mart declares what can't be its headline figures. -#}
    {%- for node in graph.nodes.values() if node.config.meta.get('headline') is not none and is_published(node) -%}
        {%- set said, wrong = node.config.meta.headline, [] -%}
        {%- if said is not mapping or (said.measures and said.none) or not (said.measures or said.none) -%}
            {%- do wrong.append('it is a dict with measures, or with none: why there are none') -%}
        {%- else -%}
            {%- for key in said if key not in ('measures', 'period', 'granularity', 'where', 'none') -%}
                {%- do wrong.append('there is no ' ~ key ~ ', but measures, period, granularity, where and none') -%}
            {%- endfor -%}
            {%- for measure in said.get('measures', []) -%}
                {%- set type = node.columns.get(measure, {}).get('data_type', '') -%}
                {%- if not modules.re.match('(numeric|integer|bigint|smallint)', type) -%}
                    {%- do wrong.append(measure ~ (' is ' ~ type ~ ', which does not add up exactly' if type
                        else ' is no column of it')) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set period = said.get('period') -%}
            {%- if period and period not in node.columns -%}
                {%- do wrong.append('period: ' ~ period ~ ' is no column of it') -%}
            {%- elif said.granularity and (not period or node.columns[period].data_type != 'date') -%}
                {%- do wrong.append('granularity is of a period that is a date') -%}
            {%- elif said.get('granularity', 'day') not in ('day', 'week', 'month') -%}
                {%- do wrong.append('granularity is day, week or month, and not ' ~ said.granularity) -%}
            {%- endif -%}
        {%- endif -%}
        {%- if wrong -%}
            {{ exceptions.raise_compiler_error(
                node.original_file_path ~ ': headline of ' ~ node.name ~ ': ' ~ wrong | join('; ')
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
