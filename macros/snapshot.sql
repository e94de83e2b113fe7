{% materialization snapshot, adapter='postgres' -%}
    {#- dbt's own; but one that is there stays as it is where its source shows a part of its rows or none: the states of
        the others would end for good. -#}
    {%- if shows_a_part() and load_cached_relation(this) -%}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
        {{ return({'relations': [this]}) }}
    {%- endif -%}
    {{ return(dbt.materialization_snapshot_default()) }}
{%- endmaterialization %}
