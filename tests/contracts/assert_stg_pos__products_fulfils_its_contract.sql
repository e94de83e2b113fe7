-- What stg_pos__products must give: see models/staging/README.md.
{{ config(meta={'explained_by': 'message'}) }}
{% set contract %}
area: sales
view: stg_pos__products
row: a product in a full extract of the product list
columns:
  extract_date:
    type: date
    meaning: Day of the extract; a list that was delivered once has one day, before the first sale.
  product_id:
    type: "{{ var('product_id_type') }}"
    meaning: Product.
  manufacturer_id:
    type: "{{ var('manufacturer_id_type') }}"
    may_be_null: not known
    meaning: Manufacturer or supplier.
  department:
    type: text
    may_be_null: not known
    check: department = upper(department)
    meaning: Department, in capital letters, as the ledger and the seeds write it.
  brand:
    type: text
    may_be_null: not known
    meaning: "Brand, or kind of brand; Private is a brand of the retailer's own."
  product_category:
    type: text
    may_be_null: not known
    meaning: Category within the department.
  product_type:
    type: text
    may_be_null: not known
    meaning: Type within the category.
  package_size:
    type: text
    may_be_null: not known
    meaning: Size of the package.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_pos__products'), contract) }}
