-- What stg_loyalty__households must give: see models/staging/README.md.
{{ config(enabled=var('loyalty', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: loyalty
view: stg_loyalty__households
row: a customer in a full extract of the customer list
columns:
  extract_date:
    type: date
    meaning: Day of the extract.
  customer_id:
    type: "{{ var('customer_id_type') }}"
    meaning: Customer.
  age_band:
    type: text
    may_be_null: not known
    meaning: Age band.
  income_band:
    type: text
    may_be_null: not known
    meaning: Income band.
  home_ownership:
    type: text
    may_be_null: not known
    meaning: Owner or renter.
  marital_status:
    type: text
    may_be_null: not known
    meaning: Marital status.
  household_size:
    type: text
    may_be_null: not known
    meaning: Persons of the household.
  household_composition:
    type: text
    may_be_null: not known
    meaning: Who lives in the household.
  kids_count:
    type: text
    may_be_null: not known
    meaning: Children of the household.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_loyalty__households'), contract) }}
