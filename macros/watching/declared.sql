{#- What is watched is declared beside it, as a test `no_anomalies` of a source's table or of a model; docs/watching.md
    says how. Here the declaration is read and checked, and gets the defaults. -#}

{% macro watching_defaults() -%}
    {#- The only place of the defaults. -#}
    {{ return({
        'every': 'day', 'history': 8, 'at_least': 5, 'judged': none, 'newest_incomplete': 0, 'width': 5,
        'least_change': 0.2, 'least_points': 0.02, 'least_member_rows': 10, 'grace_days': 0, 'unusual_days': [],
    }) }}
{%- endmacro %}

{% macro watched(name, relation, source, arguments) -%}
    {#- A declaration with its defaults, and with what follows from it. -#}
    {%- set watch = watching_defaults() -%}
    {%- for key, value in arguments.items() if value is not none -%}{%- do watch.update({key: value}) -%}{%- endfor -%}
    {%- set wrong = [] -%}
    {%- if watch.every not in ('day', 'week', 'month') -%}
        {%- do wrong.append('every is day, week or month, and not ' ~ watch.every) -%}
    {%- endif -%}
    {%- if not watch.measures -%}{%- do wrong.append('measures is a list, such as [rows, sum(amount)]') -%}{%- endif -%}
    {%- if watch.at_least > watch.history -%}
        {%- do wrong.append('at_least ' ~ watch.at_least ~ ' is more than history ' ~ watch.history) -%}
    {%- endif -%}
    {%- set unusual = [] -%}
    {%- for one in watch.unusual_days + var('unusual_days', []) -%}
        {%- if one is not mapping or not one.date or not one.because -%}
            {%- do wrong.append('unusual_days has a date and because, and not ' ~ one) -%}
        {%- else -%}
            {%- do unusual.append("daterange('" ~ one.date ~ "', '" ~ (one.until or one.date) ~ "', '[]')") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if wrong -%}{{ exceptions.raise_compiler_error(name ~ ' is watched: ' ~ wrong | join('; ')) }}{%- endif -%}
    {%- set is_member = modules.re.compile('members\\((.+)\\)$').match -%}
    {%- set counted, members = [], [] -%}
    {%- for measure in watch.measures -%}
        {%- set found = is_member(measure) -%}
        {%- do members.append(found.group(1)) if found else counted.append(measure) -%}
    {%- endfor -%}
    {%- do watch.update({
        'name': name, 'relation': relation | string, 'source': source, 'figures': counted, 'members': members,
        'unusual': unusual, 'judged': watch.judged or (3 if watch.every == 'day' else 1),
        'days': {'day': 1, 'week': 7}.get(watch.every),
        'step': '1 ' ~ watch.every, 'past': watch.history ~ (' months' if watch.every == 'month' else ' weeks'),
        'season': 'extract(isodow from period)' if watch.every == 'day' else '0',
    }) -%}
    {{ return(watch) }}
{%- endmacro %}

{% macro watched_of(node) -%}
    {#- The declaration of a test of the graph. -#}
    {%- set arguments = dict(node.test_metadata.kwargs) -%}
    {%- do arguments.pop('model') -%}
    {%- for parent in node.depends_on.nodes -%}
        {%- if parent in graph.sources -%}
            {%- set source = graph.sources[parent] -%}
            {{ return(watched(source.source_name ~ '.' ~ source.name, readable_source(source), source, arguments)) }}
        {%- elif parent in graph.nodes -%}
            {%- set model = graph.nodes[parent] -%}
            {{ return(watched(layer_of(model) ~ '.' ~ model.name, relation_of(model), none, arguments)) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro layer_of(node) -%}
    {#- The schema by which a model is known to people: its mart's folder, or its layer. -#}
    {{ return(node.fqn[2] if node.fqn[1] == 'marts' else node.fqn[1]) }}
{%- endmacro %}
