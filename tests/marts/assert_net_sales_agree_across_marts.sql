-- Net sales are one figure: to the cent, in the warehouse, in marketing, in sales, and in finance for the periods
-- that the ledger has posted, but for what the reconciliation explains (a journal that has not arrived yet) or can't
-- tell without control totals. Profiles hold the sales of the customers who are known. A mart without rows fails,
-- unless there are no sales.
with fct_sales as (
    select * from {{ ref('fct_sales') }}
),

dim_date as (
    select * from {{ ref('dim_date') }}
),

facts as (
    select
        dates.fiscal_period,
        sum(sales.net_sales_amount) as net_sales_amount,
        sum(sales.net_sales_amount) filter (where {{ is_identified('sales.customer_key') }}) as identified_sales_amount
    from fct_sales as sales
    inner join dim_date as dates on sales.business_date = dates.date_key
    group by dates.fiscal_period
),

{% if area_is_on('ledger') -%}
    income_statement as (
        select * from {{ ref('income_statement') }}
    ),

    explained as (
        select
            fiscal_period,
            sum(difference_amount) as explained_amount
        from {{ ref('sales_ledger_reconciliation') }}
        where status in ('tied', 'explained', 'not determinable')
        group by fiscal_period
    ),
{%- endif %}

figures as (
{%- for mart, model, expected in [
    ('sales', 'sales_performance', 'net_sales_amount'),
    ('sales', 'product_performance', 'net_sales_amount'),
    ('marketing', 'customer_profiles', 'identified_sales_amount'),
] %}
        select
            '{{ mart }}.{{ model }}' as figure,
            (select sum(facts.{{ expected }}) from facts) as expected_amount,
            sum(net_sales_amount) as actual_amount
        from {{ ref(model) }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
    {%- if area_is_on('ledger') %}
        union all
        select
            'finance.income_statement ' || statements.fiscal_period as figure,
            facts.net_sales_amount + explained.explained_amount as expected_amount,
            statements.actual_amount
        from income_statement as statements
        left join facts on statements.fiscal_period = facts.fiscal_period
        left join explained on statements.fiscal_period = explained.fiscal_period
        where
            statements.line_code = 'net_sales'
            and statements.period_status <> 'not yet posted'
    {%- endif %}
)

select
    figure,
    expected_amount,
    actual_amount
from figures
where expected_amount is distinct from actual_amount
