-- What stg_erp__chart_of_accounts must give: see models/staging/README.md.
{{ config(enabled=var('ledger', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: ledger
view: stg_erp__chart_of_accounts
row: an account
unique: [account_id]
columns:
  account_id:
    type: "{{ var('account_id_type') }}"
    meaning: Account.
  account_name:
    type: text
    meaning: Its name.
  parent_account_id:
    type: "{{ var('account_id_type') }}"
    may_be_null: an account at the top
    meaning: Account that it is summed into.
  account_type:
    type: text
    check: account_type in ('asset', 'liability', 'equity', 'revenue', 'contra_revenue', 'expense')
    meaning: Kind of account.
  statement_name:
    type: text
    check: statement_name in ('balance_sheet', 'income_statement')
    meaning: Statement that it stands in.
  normal_balance:
    type: text
    check: normal_balance in ('debit', 'credit')
    meaning: Side on which it grows.
  is_posting:
    type: boolean
    meaning: Whether journals may use it.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_erp__chart_of_accounts'), contract) }}
