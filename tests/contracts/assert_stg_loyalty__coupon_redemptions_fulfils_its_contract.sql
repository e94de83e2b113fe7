-- What stg_loyalty__coupon_redemptions must give: see models/staging/README.md.
{{ config(enabled=var('coupons', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: coupons
view: stg_loyalty__coupon_redemptions
row: a coupon that was redeemed; each row counts
columns:
  customer_id:
    type: "{{ var('customer_id_type') }}"
    meaning: Customer.
  coupon_id:
    type: "{{ var('coupon_id_type') }}"
    meaning: Coupon.
  campaign_id:
    type: "{{ var('campaign_id_type') }}"
    meaning: Campaign.
  redemption_date:
    type: date
    meaning: Day of the redemption.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_loyalty__coupon_redemptions'), contract) }}
