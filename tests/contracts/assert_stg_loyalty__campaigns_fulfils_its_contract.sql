-- What stg_loyalty__campaigns must give: see models/staging/README.md.
{{ config(enabled=var('loyalty', true), meta={'explained_by': 'message'}) }}
{% set contract %}
area: loyalty
view: stg_loyalty__campaigns
row: a campaign
unique: [campaign_id]
columns:
  campaign_id:
    type: "{{ var('campaign_id_type') }}"
    meaning: Campaign.
  campaign_type:
    type: text
    meaning: Kind of campaign.
  start_date:
    type: date
    meaning: First day.
  end_date:
    type: date
    check: end_date >= start_date
    meaning: Last day.
  _file_id:
    type: integer
    meaning: File that the row came from, as the loader's raw table has it.
{% endset %}
{{ fulfils_contract(ref('stg_loyalty__campaigns'), contract) }}
