-- one row: one period that gross_margin has rows of: a month, or a campaign's observed window with what was sold in it
with months as (
    select * from {{ ref('int_months_observed') }}
),

campaigns as (
    select * from {{ area_ref('coupons', 'dim_campaign', {
        'campaign_id': var('campaign_id_type'), 'observed_start_date': 'date', 'observed_end_date': 'date'
    }) }}
),

products_sold as (
    select * from {{ area_ref('coupons', 'int_campaign_products_sold', {
        'campaign_id': var('campaign_id_type'), 'net_sales_amount': 'numeric', 'costed_net_sales_amount': 'numeric',
        'cost_of_goods_amount': 'numeric'
    }) }}
),

campaign_sums as (
    select
        campaign_id,
        sum(net_sales_amount) as net_sales_amount,
        sum(costed_net_sales_amount) as costed_net_sales_amount,
        sum(cost_of_goods_amount) as cost_of_goods_amount
    from products_sold
    group by campaign_id
)

-- the sales of a month are read for it; those of a campaign have been
select
    'month' as breakdown,
    'all' as member,
    month_start_date as period_start_date,
    observed_end_date as period_end_date,
    month_start_date as first_read_date,
    observed_end_date as last_read_date,
    cast(null as numeric(16, 2)) as net_sales_amount,
    cast(null as numeric(16, 2)) as costed_net_sales_amount,
    cast(null as numeric(16, 6)) as cost_of_goods_amount
from months

union all

select
    'campaign' as breakdown,
    cast(campaigns.campaign_id as {{ dbt.type_string() }}) as member,
    campaigns.observed_start_date as period_start_date,
    campaigns.observed_end_date as period_end_date,
    cast(null as date) as first_read_date,
    cast(null as date) as last_read_date,
    cast(campaign_sums.net_sales_amount as numeric(16, 2)) as net_sales_amount,
    cast(campaign_sums.costed_net_sales_amount as numeric(16, 2)) as costed_net_sales_amount,
    cast(campaign_sums.cost_of_goods_amount as numeric(16, 6)) as cost_of_goods_amount
from campaigns
inner join campaign_sums on campaigns.campaign_id = campaign_sums.campaign_id
