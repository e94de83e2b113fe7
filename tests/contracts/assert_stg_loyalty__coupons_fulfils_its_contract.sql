-- What stg_loyalty__coupons must give: see models/staging/README.md.
{{ config(enabled=var('coupons', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: coupons
view: stg_loyalty__coupons
row: a product that a campaign's coupon is good for; may come more than once
columns:
  campaign_id:
    type: "{{ var('campaign_id_type') }}"
    meaning: Campaign.
  coupon_id:
    type: "{{ var('coupon_id_type') }}"
    meaning: Coupon.
  product_id:
    type: "{{ var('product_id_type') }}"
    meaning: Product.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_loyalty__coupons'), contract) }}
