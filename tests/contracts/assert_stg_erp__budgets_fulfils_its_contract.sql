-- What stg_erp__budgets must give: see models/staging/README.md.
{{ config(enabled=var('ledger', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: ledger
view: stg_erp__budgets
row: a budget of an account in a period
unique: [budget_version, fiscal_period, department, account_id]
columns:
  budget_version:
    type: text
    check: budget_version in ('original', 'revised')
    meaning: original, or revised, which is in force where there is one.
  fiscal_period:
    type: text
    check: translate(fiscal_period, '123456789', '000000000') = '0000-00'
    meaning: Fiscal period.
  department:
    type: text
    may_be_null: of no department
    meaning: Department, as products write it.
  account_id:
    type: "{{ var('account_id_type') }}"
    meaning: Account.
  budget_amount:
    type: money
    meaning: Budget in the account's normal direction.
  budget_units_count:
    type: "{{ var('quantity_type') }}"
    may_be_null: no units are planned on this account
    meaning: Units planned to be sold, on revenue lines; without them a budget's variance is not split.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_erp__budgets'), contract) }}
