-- one row: one department on one posting date, and what the (simulated) ledger says that its goods had cost
{{ config(partition_by={'field': 'posting_date', 'granularity': 'day'}) }}

with journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
)

select
    journal_lines.posting_date,
    coalesce(journal_lines.department, 'NO DEPARTMENT') as department,
    cast(sum(journal_lines.debit_amount - journal_lines.credit_amount) as numeric(16, 2)) as cost_of_goods_amount
from journal_lines
inner join accounts on journal_lines.account_id = accounts.account_id
where accounts.statement_line_code = 'cost_of_goods_sold'
group by
    journal_lines.posting_date,
    coalesce(journal_lines.department, 'NO DEPARTMENT')
