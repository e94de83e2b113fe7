-- one row: what the (simulated) ledger has of the sales of one department on one date
with journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

-- whoever posted it counts in sales; of cash and receivables, which others move too, only what sales journals posted
sales_lines as (
    select
        journal_lines.*,
        accounts.statement_line_code as line_code,
        accounts.statement_line_code in ('gross_sales', 'loyalty_discounts', 'coupon_match') as is_net_sales
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    where
        accounts.statement_line_code in ('gross_sales', 'loyalty_discounts', 'coupon_match')
        or (journal_lines.journal_type = 'sales' and accounts.statement_line_code in ('cash', 'coupons_receivable'))
)

select
    posting_date,
    department,
    cast(
        count(distinct case when not is_reversal and not is_reversed then journal_id end) as integer
    ) as journals_count,
    cast(-sum(case when line_code = 'gross_sales' then net_debit_amount else 0 end) as numeric(16, 2))
        as gross_sales_amount,
    cast(sum(case when line_code = 'loyalty_discounts' then net_debit_amount else 0 end) as numeric(16, 2))
        as loyalty_discount_amount,
    cast(sum(case when line_code = 'coupon_match' then net_debit_amount else 0 end) as numeric(16, 2))
        as coupon_match_amount,
    cast(sum(case when line_code = 'coupons_receivable' then net_debit_amount else 0 end) as numeric(16, 2))
        as manufacturer_coupon_amount,
    cast(sum(case when line_code = 'cash' then net_debit_amount else 0 end) as numeric(16, 2))
        as customer_paid_amount,
    cast(-sum(case when is_net_sales then net_debit_amount else 0 end) as numeric(16, 2)) as net_sales_amount,
    cast(-sum(case when is_net_sales and not is_late_entry then net_debit_amount end) as numeric(16, 2))
        as period_end_net_sales_amount,
    max(case when is_late_entry and not is_reversal then 1 else 0 end) = 1 as has_late_entry,
    max(case when is_reversal then 1 else 0 end) = 1 as has_reversal
from sales_lines
group by
    posting_date,
    department
