-- one row: one customer of one campaign's comparison (or of its placebo), with what it weighs there
{{ config(
    partition_by={
        'field': 'start_date', 'granularity': 'day',
        'spans': {'table': 'int_campaign_windows_observed', 'first': 'start_date', 'last': 'start_date'}
    },
    indexes=[{'columns': ['start_date']}]
) }}

with windows as (
    select * from {{ ref('int_campaign_windows_observed') }}
),

observed as (
    select * from {{ ref('int_campaign_customers_observed') }}
),

ranked as (
    select
        observed.*,
        windows.during_days_count,
        percent_rank() over (
            partition by observed.campaign_id, observed.is_placebo order by observed.base_daily_amount asc
        ) as spending_rank
    from observed
    inner join windows on observed.campaign_id = windows.campaign_id and observed.is_placebo = windows.is_placebo
),

-- alike: the same twentieth by what was expected, and as much under other campaigns
celled as (
    select
        ranked.*,
        cast(least(floor(20 * spending_rank), 19) + 1 as integer) as spending_stratum,
        case
            when other_days_count = 0 then 'none'
            when 2 * other_days_count < during_days_count then 'some'
            else 'most'
        end as other_campaigns
    from ranked
),

cells as (
    select
        campaign_id,
        is_placebo,
        spending_stratum,
        other_campaigns,
        cast(sum(base_daily_amount) filter (where is_audience) as {{ ratio_type() }}) as audience_base_amount,
        cast(sum(base_daily_amount) filter (where not is_audience) as {{ ratio_type() }}) as control_base_amount,
        cast(sum(during_sales_amount) filter (where not is_audience) as {{ ratio_type() }}) as control_during_amount
    from celled
    group by
        campaign_id,
        is_placebo,
        spending_stratum,
        other_campaigns
    having count(*) filter (where is_audience) > 0 and count(*) filter (where not is_audience) > 1
)

select
    celled.campaign_id,
    celled.is_placebo,
    celled.start_date,
    celled.customer_id,
    celled.is_audience,
    celled.spending_stratum,
    celled.other_campaigns,
    celled.base_daily_amount,
    celled.before_sales_amount,
    celled.during_sales_amount,
    celled.other_days_count,
    -- an audience weighs 1 each; the control of a cell together what its audience was expected to spend
    cast(
        case
            when celled.is_audience then 1 else cells.audience_base_amount / cells.control_base_amount
        end as numeric(18, 10)
    ) as comparison_weight,
    cast(
        celled.base_daily_amount * cells.control_during_amount / cells.control_base_amount as numeric(18, 10)
    ) as expected_sales_amount,
    cast(
        case
            when not celled.is_audience then celled.base_daily_amount / cells.control_base_amount
        end as numeric(12, 10)
    ) as control_share_rate
from celled
inner join cells
    on
        celled.campaign_id = cells.campaign_id
        and celled.is_placebo = cells.is_placebo
        and celled.spending_stratum = cells.spending_stratum
        and celled.other_campaigns = cells.other_campaigns
