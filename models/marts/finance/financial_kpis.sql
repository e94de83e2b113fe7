-- one row: one key figure of the (simulated) books in one fiscal period
with kpi_targets as (
    select * from {{ ref('int_kpi_targets_dated') }}
),

income_lines as (
    select * from {{ ref('income_statement') }}
),

balance_lines as (
    select * from {{ ref('balance_sheet') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

{% set flows = [
    'gross_sales', 'loyalty_discounts', 'coupon_match', 'net_sales', 'cost_of_goods_sold', 'gross_profit', 'payroll',
    'rent', 'operating_expenses', 'operating_income', 'net_income'
] -%}
{% set stocks = ['cash', 'inventory', 'current_assets', 'current_liabilities'] -%}

flows as (
    select
        'period' as basis,
        {%- for line in flows %}
            max(case when line_code = '{{ line }}' then actual_amount end) as {{ line }},
        {%- endfor %}
        fiscal_period
    from income_lines
    group by fiscal_period

    union all

    select
        'year to date' as basis,
        {%- for line in flows %}
            max(case when line_code = '{{ line }}' then year_to_date_amount end) as {{ line }},
        {%- endfor %}
        fiscal_period
    from income_lines
    group by fiscal_period
),

stocks as (
    select
        {%- for line in stocks %}
            max(case when line_code = '{{ line }}' then closing_amount end) as {{ line }},
        {%- endfor %}
        fiscal_period
    from balance_lines
    group by fiscal_period
),

measured_periods as (
    select
        fiscal_period,
        period_status,
        days_count,
        sum(days_count) over (
            partition by fiscal_year
            order by fiscal_period asc nulls last
            rows between unbounded preceding and current row
        ) as year_to_date_days_count
    from periods
),

-- costs and discounts are negative in the income statement, so shares of them take a minus
valued as (
    select
        kpi_targets.kpi_code,
        measured_periods.fiscal_period,
        flows.basis,
        case kpi_targets.kpi_code
            when 'gross_margin' then flows.gross_profit / nullif(flows.net_sales, 0)
            when 'operating_margin' then flows.operating_income / nullif(flows.net_sales, 0)
            when 'net_margin' then flows.net_income / nullif(flows.net_sales, 0)
            when 'cost_of_goods_rate' then -flows.cost_of_goods_sold / nullif(flows.net_sales, 0)
            when 'payroll_rate' then -flows.payroll / nullif(flows.net_sales, 0)
            when 'rent_rate' then -flows.rent / nullif(flows.net_sales, 0)
            when 'operating_expense_rate' then -flows.operating_expenses / nullif(flows.net_sales, 0)
            when 'discount_rate'
                then -(flows.loyalty_discounts + flows.coupon_match) / nullif(flows.gross_sales, 0)
            when 'working_capital' then stocks.current_assets - stocks.current_liabilities
            when 'current_ratio' then stocks.current_assets / nullif(stocks.current_liabilities, 0)
            when 'inventory_days'
                then
                    -stocks.inventory / nullif(flows.cost_of_goods_sold, 0)
                    * case flows.basis
                        when 'period' then measured_periods.days_count
                        else measured_periods.year_to_date_days_count
                    end
            when 'cash' then stocks.cash
        end as kpi_value
    from kpi_targets
    inner join measured_periods on kpi_targets.fiscal_period = measured_periods.fiscal_period
    inner join flows on measured_periods.fiscal_period = flows.fiscal_period
    inner join stocks on measured_periods.fiscal_period = stocks.fiscal_period
),

pivoted as (
    select
        kpi_code,
        fiscal_period,
        cast(max(case when basis = 'period' then kpi_value end) as numeric(18, 6)) as kpi_value,
        cast(max(case when basis = 'year to date' then kpi_value end) as numeric(18, 6)) as year_to_date_value
    from valued
    group by kpi_code, fiscal_period
)

select
    pivoted.fiscal_period,
    pivoted.kpi_code,
    kpi_targets.kpi_order,
    kpi_targets.kpi_name,
    kpi_targets.unit,
    kpi_targets.better_when,
    measured_periods.period_status,
    pivoted.kpi_value,
    cast(
        lag(pivoted.kpi_value) over (partition by pivoted.kpi_code order by pivoted.fiscal_period asc nulls last)
        as numeric(18, 6)
    ) as prior_period_value,
    pivoted.year_to_date_value,
    kpi_targets.target_value,
    kpi_targets.watch_value,
    case
        when measured_periods.period_status = 'not yet posted' then 'not yet posted'
        when pivoted.kpi_value is null then 'not defined'
        when kpi_targets.better_when = 'higher' and pivoted.kpi_value >= kpi_targets.target_value then 'on track'
        when kpi_targets.better_when = 'lower' and pivoted.kpi_value <= kpi_targets.target_value then 'on track'
        when kpi_targets.better_when = 'higher' and pivoted.kpi_value >= kpi_targets.watch_value then 'watch'
        when kpi_targets.better_when = 'lower' and pivoted.kpi_value <= kpi_targets.watch_value then 'watch'
        else 'off track'
    end as status
from pivoted
inner join kpi_targets
    on pivoted.kpi_code = kpi_targets.kpi_code and pivoted.fiscal_period = kpi_targets.fiscal_period
inner join measured_periods on pivoted.fiscal_period = measured_periods.fiscal_period
