-- Rows are what the grain says: accounts × periods, lines × periods, key figures × periods; nothing is lost, nothing
-- explodes. Failure rows: the model and both counts.
{{ config(enabled=var('ledger', true)) }}
{%- set lines = "(select count(*) from " ~ ref('statement_lines') ~ " where statement_name = '%s')" %}
{%- set expected = {
    'general_ledger':
        "(select count(*) from " ~ ref('dim_account') ~ " where is_posting)",
    'income_statement': lines | format('income_statement'),
    'balance_sheet': lines | format('balance_sheet'),
    'cash_flow_statement': lines | format('cash_flow_statement'),
    'financial_kpis': "(select count(distinct kpi_code) from " ~ ref('kpi_targets') ~ ")",
    'budget_vs_actual':
        "(select count(*) from (select distinct budget_version, department, account_id from "
        ~ ref('budget_vs_actual') ~ ") as cells)",
} %}
with counted as (
    {%- for model, per_period in expected.items() %}
        select
            '{{ model }}' as model_name,
            (select count(*) from {{ ref(model) }}) as rows_count,
            {{ per_period }} * (select count(*) from {{ ref('dim_fiscal_period') }}) as expected_count
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select
    model_name,
    rows_count,
    expected_count,
    model_name || ': ' || {{ as_text('rows_count') }} || ' rows, expected '
    || {{ as_text('expected_count') }} as message
from counted
where rows_count <> expected_count
