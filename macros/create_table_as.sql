{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {#- dbt fills a table under contract row by row into its finished indexes, on one core. Here the select makes the
        table (in parallel, without write-ahead log), and whoever calls this adds the contract's constraints in one
        pass: an index that is built by sorting once costs a fraction of one that grows with the rows. The contract is
        checked first, and each column takes its contract's type. -#}
    {%- set contract = config.get('contract') -%}
    {{ config.get('sql_header', none) or '' }}
    {% if contract.enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}

    create {% if temporary %}temporary{% elif config.get('unlogged', default=false) %}unlogged{% endif %} table
        {{ relation }} as (
        {%- if contract.enforced %}
            select
                {%- for column in model.columns.values() %}
                    cast({{ column.name }} as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from (
                {{ sql }}
            ) as contracted
        {%- else %}
            {{ sql }}
        {%- endif %}
        );
{%- endmacro %}

{% macro add_constraints(relation) -%}
    {#- Constrain a table as the contract says, in one pass. Where rows of several publications lie side by side, keys
        are unique among the newest: see create_version_table. -#}
    {%- set clauses = [] -%}
    {%- set as_index = ('primary_key', 'unique') if is_published(model) else () -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type == 'not_null' -%}
                {%- do clauses.append('alter column ' ~ column.name ~ ' set not null') -%}
            {%- elif constraint.type not in as_index -%}
                {%- do clauses.append('add ' ~ constraint_clause(constraint, [column.name])) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.constraints if constraint.type not in as_index -%}
        {%- do clauses.append('add ' ~ constraint_clause(constraint, constraint.columns)) -%}
    {%- endfor -%}
    {%- for columns in unique_keys() if as_index -%}
        {%- for column in columns -%}{%- do clauses.append('alter column ' ~ column ~ ' set not null') -%}{%- endfor -%}
    {%- endfor -%}
    {%- if config.get('contract').enforced and clauses -%}
        {%- do run_query("alter table " ~ relation ~ " " ~ clauses | join(", ")) -%}
    {%- endif -%}
{%- endmacro %}

{% macro constraint_clause(constraint, columns) -%}
    {%- if constraint.type == 'primary_key' -%}
        primary key ({{ columns | join(', ') }})
    {%- elif constraint.type == 'unique' -%}
        unique ({{ columns | join(', ') }})
    {%- elif constraint.type == 'check' -%}
        check ({{ constraint.expression }})
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ': a ' ~ constraint.type ~ ' constraint is not supported: use a relationships test'
        ) }}
    {%- endif -%}
{%- endmacro %}
