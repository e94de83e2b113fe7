{#- What a reader gets of a person's columns: a column's YAML says `config: {meta: {pii: …}}`, docs/roles.md how. -#}

{% macro published_column(column) -%}
    {#- An expression: a column as a view shows it, without an alias. Whoever isn't one of pii_reader gets what `pii`
        says: nothing (hidden), the lower end of a band of a width (band 20), or a keyed hash. In the view's own
        expression, so that no filter, join or order sees more. It counts who asks (current_user, also in a view of
        somebody else on this one) with the rights that are in use (usage). Without such a role all are masked. -#}
    {%- set pii, name = pii_of(column), adapter.quote(column.name) -%}
    {%- if pii.kind == 'none' -%}
        {{ name }}
    {%- else -%}
        case
            when pg_has_role(to_regrole('{{ var("role_prefix", "") }}pii_reader'), 'usage') then {{ name }}
            {%- if pii.where %}
            when ({{ pii.where }}) is false then {{ name }}
            {%- endif %}
            else {{ masked(name, column.data_type | lower, pii) }}
        end
    {%- endif -%}
{%- endmacro %}

{% macro pii_of(column) -%}
    {#- What a column's YAML says, as a dict: `kind`, none if it says nothing; `width` of a band; `type` of the id that
        a hashed text is (hash as integer); `where`, the condition of the rows that are a person's. -#}
    {%- set said = column.config.meta.pii | string if 'pii' in column.config.meta else 'none' -%}
    {%- set found = modules.re.fullmatch(
        '(none|hidden|hash|band)(?: ([1-9][0-9]{0,8}))?(?: as (integer|bigint|text))?(?: where (.+))?', said
    ) -%}
    {%- set pii = dict(zip(['kind', 'width', 'type', 'where'], found.groups())) if found else {} -%}
    {%- if not pii or (pii.kind == 'band') != (pii.width is not none) or pii.type and pii.kind != 'hash' -%}
        {{ exceptions.raise_compiler_error(
            "column " ~ column.name ~ ": pii is " ~ said ~ ", and takes hidden, hash, band and a width (band 20), none"
        ) }}
    {%- endif -%}
    {{ return(pii) }}
{%- endmacro %}

{% macro masked(name, data_type, pii) -%}
    {#- An expression of the column's own type for who may not see its values. -#}
    {%- if pii.kind == 'hidden' -%}
        cast(null as {{ data_type }})
    {%- elif pii.kind == 'hash' and pii.type in (none, data_type) -%}
        {{ keyed_hash(name, data_type) }}
    {%- elif pii.kind == 'hash' -%}
        cast({{ keyed_hash('cast(' ~ name ~ ' as ' ~ pii.type ~ ')', pii.type) }} as {{ data_type }})
    {%- elif modules.re.fullmatch('text|varchar.*|character varying.*', data_type) -%} {#- of the first number in it -#}
        {%- set number = "cast(substring(" ~ name ~ " from '[0-9]+') as numeric)" -%}
        'from ' || cast(floor({{ number }} / {{ pii.width }}) * {{ pii.width }} as text)
    {%- else -%}
        cast(floor({{ name }} / {{ pii.width }}.0) * {{ pii.width }} as {{ data_type }})
    {%- endif -%}
{%- endmacro %}
