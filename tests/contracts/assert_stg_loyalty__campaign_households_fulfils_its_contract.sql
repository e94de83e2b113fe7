-- What stg_loyalty__campaign_households must give: see models/staging/README.md.
{{ config(enabled=var('loyalty', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: loyalty
view: stg_loyalty__campaign_households
row: a customer that a campaign was sent to; may come more than once
columns:
  campaign_id:
    type: "{{ var('campaign_id_type') }}"
    meaning: Campaign.
  customer_id:
    type: "{{ var('customer_id_type') }}"
    meaning: Customer.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_loyalty__campaign_households'), contract) }}
