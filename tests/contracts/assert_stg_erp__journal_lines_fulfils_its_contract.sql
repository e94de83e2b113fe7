-- What stg_erp__journal_lines must give: see models/staging/README.md.
{{ config(enabled=var('ledger', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: ledger
view: stg_erp__journal_lines
row: a line of a journal
unique: [journal_id, line_number]
columns:
  journal_id:
    type: text
    meaning: Journal.
  line_number:
    type: integer
    meaning: Line of the journal.
  journal_type:
    type: text
    meaning: Kind of journal; sales for the tills' own, opening for balances brought forward.
  posting_date:
    type: date
    meaning: Day that it belongs to.
  entry_date:
    type: date
    meaning: Day on which it was entered.
  fiscal_period:
    type: text
    check: translate(fiscal_period, '123456789', '000000000') = '0000-00'
    meaning: Fiscal period, year and number of the period, such as 2017-01.
  account_id:
    type: "{{ var('account_id_type') }}"
    meaning: Account.
  department:
    type: text
    may_be_null: of no department
    meaning: Department, as products write it.
  description:
    type: text
    may_be_null: none
    meaning: What it is.
  debit_amount:
    type: money
    check: debit_amount >= 0
    meaning: Debit; 0 on the other side.
  credit_amount:
    type: money
    check: credit_amount >= 0
    meaning: Credit; 0 on the other side.
  reverses_journal_id:
    type: text
    may_be_null: reverses none
    meaning: Journal that it takes back.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_erp__journal_lines'), contract) }}
