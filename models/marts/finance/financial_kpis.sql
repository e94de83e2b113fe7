-- one row: one key figure of the (simulated) books in one fiscal period
with kpi_targets as (
    select * from {{ ref('int_kpi_targets_dated') }}
),

spans as (
    select * from {{ ref('int_kpi_spans_summed') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

-- costs and discounts are negative in the income statement, so shares of them take a minus
signed as (
    select
        spans.*,
        -cost_of_goods_sold_amount as goods_amount,
        inventory_amount / nullif(-cost_of_goods_sold_amount, 0) * days_count as inventory_days,
        accounts_payable_amount / nullif(-cost_of_goods_sold_amount, 0) * days_count as payable_days,
        coupons_receivable_amount / nullif(net_sales_amount, 0) * days_count as receivable_days
    from spans
),

valued as (
    select
        kpi_targets.kpi_code,
        signed.fiscal_period,
        signed.span,
        case kpi_targets.kpi_code
            when 'gross_margin' then signed.gross_profit_amount / nullif(signed.net_sales_amount, 0)
            when 'operating_margin' then signed.operating_income_amount / nullif(signed.net_sales_amount, 0)
            when 'net_margin' then signed.net_income_amount / nullif(signed.net_sales_amount, 0)
            when 'cost_of_goods_rate' then signed.goods_amount / nullif(signed.net_sales_amount, 0)
            when 'payroll_rate' then -signed.payroll_amount / nullif(signed.net_sales_amount, 0)
            when 'rent_rate' then -signed.rent_amount / nullif(signed.net_sales_amount, 0)
            when 'operating_expense_rate'
                then -signed.operating_expenses_amount / nullif(signed.net_sales_amount, 0)
            when 'discount_rate'
                then
                    -(signed.loyalty_discounts_amount + signed.coupon_match_amount)
                    / nullif(signed.gross_sales_amount, 0)
            when 'working_capital' then signed.current_assets_amount - signed.current_liabilities_amount
            when 'current_ratio' then signed.current_assets_amount / nullif(signed.current_liabilities_amount, 0)
            when 'inventory_days' then signed.inventory_days
            when 'days_payable' then signed.payable_days
            when 'cash_conversion_cycle' then signed.inventory_days + signed.receivable_days - signed.payable_days
            when 'inventory_turns'
                then signed.goods_amount / nullif(signed.inventory_amount, 0) * 365 / signed.days_count
            when 'margin_return_on_inventory'
                then signed.gross_profit_amount / nullif(signed.inventory_amount, 0) * 365 / signed.days_count
            when 'debt_to_equity' then signed.long_term_debt_amount / nullif(signed.total_equity_amount, 0)
            when 'interest_cover' then signed.operating_income_amount / nullif(-signed.interest_expense_amount, 0)
            when 'cash' then signed.cash_amount
        end as kpi_value
    from kpi_targets
    inner join signed on kpi_targets.fiscal_period = signed.fiscal_period
),

pivoted as (
    select
        kpi_code,
        fiscal_period,
        cast(max(case when span = 'period' then kpi_value end) as numeric(18, 6)) as kpi_value,
        cast(max(case when span = 'trailing quarter' then kpi_value end) as numeric(18, 6)) as trailing_quarter_value,
        cast(max(case when span = 'year to date' then kpi_value end) as numeric(18, 6)) as year_to_date_value
    from valued
    group by
        kpi_code,
        fiscal_period
),

judged as (
    select
        kpi_targets.*,
        periods.period_status,
        pivoted.kpi_value,
        pivoted.trailing_quarter_value,
        pivoted.year_to_date_value,
        case kpi_targets.judged_on
            when 'period' then pivoted.kpi_value
            when 'trailing quarter' then pivoted.trailing_quarter_value
            when 'year to date' then pivoted.year_to_date_value
        end as judged_value
    from pivoted
    inner join kpi_targets
        on pivoted.kpi_code = kpi_targets.kpi_code and pivoted.fiscal_period = kpi_targets.fiscal_period
    inner join periods on pivoted.fiscal_period = periods.fiscal_period
)

select
    fiscal_period,
    kpi_code,
    kpi_order,
    kpi_name,
    unit,
    better_when,
    period_status,
    kpi_value,
    cast(lag(kpi_value) over (partition by kpi_code order by fiscal_period asc nulls last) as numeric(18, 6))
        as prior_period_value,
    trailing_quarter_value,
    year_to_date_value,
    judged_on,
    cast(judged_value as numeric(18, 6)) as judged_value,
    target_value,
    watch_value,
    case
        when period_status = 'not yet posted' then 'not yet posted'
        when judged_value is null then 'not defined'
        when better_when = 'higher' and judged_value >= target_value then 'on track'
        when better_when = 'lower' and judged_value <= target_value then 'on track'
        when better_when = 'higher' and judged_value >= watch_value then 'watch'
        when better_when = 'lower' and judged_value <= watch_value then 'watch'
        else 'off track'
    end as status
from judged
