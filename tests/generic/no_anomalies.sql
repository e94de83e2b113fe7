{% test no_anomalies(
    model, date, measures, every=none, history=none, at_least=none, judged=none, newest_incomplete=none, width=none,
    least_change=none, least_points=none, least_member_rows=none, grace_days=none, unusual_days=none
) %}
    {#- The newest figures are as they were on the same weekdays before: docs/watching.md says how it is declared. It
        warns, for a strange figure may be right. Rows: the figures that are strange. It asks the loader's ledger and
        PostgreSQL's own functions: another engine has no such test. -#}
    {{ config(enabled=target.type == 'postgres', severity='warn', meta={'explained_by': 'message'}) }}
    {%- if execute %}
    {{ anomalies() }}
    {%- endif %}
{% endtest %}
