-- What stg_pos__promotions must give: see models/staging/README.md.
{{ config(enabled=var('promotions', true), meta={'explained_by': 'message', 'narrowed_by': 'stg_pos__promotions'}) }}
{% set contract %}
area: promotions
view: stg_pos__promotions
row: a placement of a product in a store in a week; may come more than once
columns:
  week_start_date:
    type: date
    check: week_start_date = date_trunc('week', week_start_date)
    meaning: Monday of the week.
  product_id:
    type: "{{ var('product_id_type') }}"
    meaning: Product.
  store_id:
    type: "{{ var('store_id_type') }}"
    meaning: Store.
  display_code:
    type: text
    meaning: Place in the store, by the seed display_locations; 0 if none.
  mailer_code:
    type: text
    meaning: Place on the mailer, by the seed mailer_locations; 0 if none.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_pos__promotions'), contract) }}
