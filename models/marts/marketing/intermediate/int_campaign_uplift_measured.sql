-- one row: one campaign, or its placebo: what its audience bought beyond what customers like it did
with windows as (
    select * from {{ ref('int_campaign_windows_observed') }}
),

compared as (
    select * from {{ ref('int_campaign_customers_compared') }}
),

summed as (
    select
        campaign_id,
        is_placebo,
        count(*) filter (where is_audience) as audience_count,
        count(*) filter (where not is_audience) as control_count,
        sum(before_sales_amount) filter (where is_audience) as audience_before_amount,
        sum(during_sales_amount) filter (where is_audience) as audience_during_amount,
        sum(comparison_weight * before_sales_amount) filter (where not is_audience) as control_before_amount,
        sum(comparison_weight * during_sales_amount) filter (where not is_audience) as control_during_amount,
        avg(other_days_count) filter (where is_audience) as audience_other_days,
        sum(comparison_weight * other_days_count) filter (where not is_audience)
        / nullif(sum(comparison_weight) filter (where not is_audience), 0) as control_other_days
    from compared
    group by
        campaign_id,
        is_placebo
),

rated as (
    select
        summed.*,
        audience_during_amount / nullif(control_during_amount, 0) as sales_ratio
    from summed
),

-- each customer's distance from what was expected, as if it had no part in the expectation (jackknife)
residuals as (
    select
        compared.campaign_id,
        compared.is_placebo,
        case
            when compared.is_audience
                then
                    (
                        cast(compared.during_sales_amount as {{ ratio_type() }})
                        - rated.sales_ratio * compared.expected_sales_amount
                    )
                    / nullif(1 - compared.expected_sales_amount / rated.control_during_amount, 0)
            else
                cast(compared.comparison_weight as {{ ratio_type() }})
                * (compared.during_sales_amount - compared.expected_sales_amount)
                / nullif(1 - compared.control_share_rate, 0)
        end as residual_amount
    from compared
    inner join rated on compared.campaign_id = rated.campaign_id and compared.is_placebo = rated.is_placebo
    where rated.control_during_amount > 0
),

spread as (
    select
        campaign_id,
        is_placebo,
        sqrt(sum(residual_amount * residual_amount)) as standard_error,
        -- as many customers of equal weight would leave as much to chance
        3 * power(sum(residual_amount * residual_amount), 2) / nullif(sum(power(residual_amount, 4)), 0) as freedom
    from residuals
    group by
        campaign_id,
        is_placebo
    having count(*) = count(residual_amount)
),

-- 1.96, and more where few customers decide: Student's quantile for the degrees of freedom
measured as (
    select
        rated.*,
        spread.freedom,
        rated.audience_during_amount - rated.control_during_amount as incremental_amount,
        spread.standard_error * (1 + 1.21 / spread.freedom + 1.44 / power(spread.freedom, 2)) as standard_error
    from rated
    left join spread on rated.campaign_id = spread.campaign_id and rated.is_placebo = spread.is_placebo
)

select
    windows.campaign_id,
    windows.is_placebo,
    windows.history_days_count,
    windows.before_days_count,
    windows.during_days_count,
    windows.is_history_short,
    cast(coalesce(measured.audience_count, 0) as integer) as audience_count,
    cast(coalesce(measured.control_count, 0) as integer) as control_count,
    cast(measured.audience_before_amount as numeric(16, 2)) as audience_before_amount,
    cast(measured.audience_during_amount as numeric(16, 2)) as audience_during_amount,
    cast(measured.control_before_amount as numeric(30, 12)) as control_before_amount,
    cast(measured.control_during_amount as numeric(30, 12)) as control_during_amount,
    cast(measured.audience_other_days / windows.during_days_count as numeric(12, 8)) as audience_overlap_rate,
    cast(measured.control_other_days / windows.during_days_count as numeric(12, 8)) as control_overlap_rate,
    cast(measured.incremental_amount as numeric(30, 12)) as incremental_amount,
    cast(measured.standard_error as numeric(24, 10)) as standard_error_amount,
    cast(measured.freedom as numeric(14, 2)) as freedom_degrees,
    cast({{ two_sided_p_value('measured.incremental_amount / nullif(measured.standard_error, 0)') }} as numeric(12, 8))
        as p_value
from windows
left join measured on windows.campaign_id = measured.campaign_id and windows.is_placebo = measured.is_placebo
