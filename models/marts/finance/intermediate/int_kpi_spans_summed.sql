-- one row: flows and closing balances of one span (period, trailing quarter, year to date) that ends with one period
{%- set flows = [
    'gross_sales', 'loyalty_discounts', 'coupon_match', 'net_sales', 'cost_of_goods_sold', 'gross_profit', 'payroll',
    'rent', 'operating_expenses', 'operating_income', 'interest_expense', 'net_income'
] %}
{%- set stocks = [
    'cash', 'coupons_receivable', 'inventory', 'current_assets', 'accounts_payable', 'current_liabilities',
    'long_term_debt', 'total_equity'
] %}
with income_lines as (
    select * from {{ ref('income_statement') }}
),

balance_lines as (
    select * from {{ ref('balance_sheet') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

flows as (
    select
        {%- for line in flows %}
            max(case when line_code = '{{ line }}' then actual_amount end) as {{ line }},
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

dated as (
    select
        flows.*,
        periods.fiscal_year,
        periods.days_count
    from flows
    inner join periods on flows.fiscal_period = periods.fiscal_period
),

-- a quarter is whole or nothing; a span that ends with a period not yet posted has no flows
{%- for span, preceding in [('period', 0), ('trailing quarter', 2), ('year to date', 'unbounded')] %}
    {%- set name = span | replace(' ', '_') %}
    {{ name }} as (
        select
            {%- for line in flows %}
                case
                    when {{ line }} is not null and count({{ line }}) over {{ name }} > {{ preceding | int }}
                        then sum({{ line }}) over {{ name }}
                end as {{ line }},
            {%- endfor %}
            fiscal_period,
            '{{ span }}' as span,
            sum(days_count) over {{ name }} as days_count
        from dated
        window
            {{ name }} as (
                partition by {{ 'fiscal_year' if preceding == 'unbounded' else 'true' }}
                order by fiscal_period asc nulls last
                rows between {{ preceding }} preceding and current row
            )
    ),
{%- endfor %}

spans as (
    select * from period
    union all
    select * from trailing_quarter
    union all
    select * from year_to_date
)

select
    {%- for line in flows %}
        cast(spans.{{ line }} as numeric(16, 2)) as {{ line }}_amount,
    {%- endfor %}
    {%- for line in stocks %}
        cast(stocks.{{ line }} as numeric(16, 2)) as {{ line }}_amount,
    {%- endfor %}
    spans.fiscal_period,
    spans.span,
    cast(spans.days_count as integer) as days_count
from spans
inner join stocks on spans.fiscal_period = stocks.fiscal_period
