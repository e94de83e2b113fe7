-- What stg_erp__control_totals must give: see models/staging/README.md.
{{ config(enabled=var('control_totals', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: control_totals
view: stg_erp__control_totals
row: a balance that the ledger's owner states; the newest statement counts
columns:
  exported_on:
    type: date
    meaning: Day of the statement.
  fiscal_period:
    type: text
    check: translate(fiscal_period, '123456789', '000000000') = '0000-00'
    meaning: Fiscal period.
  account_id:
    type: "{{ var('account_id_type') }}"
    meaning: Account.
  closing_balance_amount:
    type: money
    meaning: Debits less credits at the end of the period.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_erp__control_totals'), contract) }}
