-- Models and tests speak of these lines by their code; finance may rename, move and sign them, but not drop them.
-- Failure rows: the line that is missing, or that stands twice in its statement.
with statement_lines as (
    select * from {{ ref('statement_lines') }}
),

needed as (
    {%- set needed = {
        'income_statement': [
            'gross_sales', 'loyalty_discounts', 'coupon_match', 'net_sales', 'cost_of_goods_sold', 'gross_profit',
            'payroll', 'rent', 'operating_expenses', 'operating_income', 'interest_expense', 'net_income'
        ],
        'balance_sheet': [
            'cash', 'coupons_receivable', 'inventory', 'current_assets', 'accounts_payable', 'current_liabilities',
            'long_term_debt', 'total_assets', 'retained_earnings', 'unappropriated_earnings', 'total_equity',
            'total_liabilities_and_equity'
        ],
        'cash_flow_statement': [
            'net_income', 'distributions', 'net_change_in_cash', 'opening_cash', 'change_in_cash_accounts',
            'closing_cash'
        ],
    } %}
    {%- for statement, lines in needed.items() %}
        {%- set last_statement = loop.last %}
        {%- for line in lines %}
            select
                '{{ statement }}' as statement_name,
                '{{ line }}' as line_code
            {% if not (loop.last and last_statement) %}union all{% endif %}
        {%- endfor %}
    {%- endfor %}
),

counted as (
    select
        statement_name,
        line_code,
        count(*) as lines_count
    from statement_lines
    group by statement_name, line_code
)

select
    coalesce(needed.statement_name, counted.statement_name) as statement_name,
    coalesce(needed.line_code, counted.line_code) as line_code,
    'line ' || coalesce(needed.line_code, counted.line_code) || ' stands '
    || {{ as_text('coalesce(counted.lines_count, 0)') }} || ' times in the layout of '
    || coalesce(needed.statement_name, counted.statement_name) as message
from needed
full outer join counted
    on needed.statement_name = counted.statement_name and needed.line_code = counted.line_code
where coalesce(counted.lines_count, 0) <> 1
