-- Every posting account has a line of its own statement and one of the cash-flow statement (seed statement_accounts),
-- and hangs in the chart. Failure rows: the account by name, and what is missing.
with accounts as (
    select * from {{ ref('dim_account') }}
),

statement_lines as (
    select * from {{ ref('statement_lines') }}
),

checked as (
    select
        accounts.account_id,
        accounts.account_name,
        accounts.account_type,
        case
            when accounts.parent_account_id is not null and accounts.level_number in (1, 10)
                then 'has no way up to the top of the chart'
            when accounts.statement_line_code is null then 'has no line in seed statement_accounts'
            when own_lines.line_code is null
                then 'stands in line ' || accounts.statement_line_code || ', which is not one of its own statement'
            when cash_flow_lines.line_code is null
                then 'has no line of the cash-flow statement'
        end as fault
    from accounts
    left join statement_lines as own_lines
        on
            accounts.statement_name = own_lines.statement_name
            and accounts.statement_line_code = own_lines.line_code
            and own_lines.line_kind = 'detail'
    left join statement_lines as cash_flow_lines
        on
            cash_flow_lines.statement_name = 'cash_flow_statement'
            and accounts.cash_flow_line_code = cash_flow_lines.line_code
            and cash_flow_lines.line_kind in ('detail', 'earnings', 'cash')
    where accounts.is_posting
)

select
    account_id,
    account_name,
    'account ' || {{ as_text('account_id') }} || ' ' || account_name || ' (' || account_type || ') '
    || fault as message
from checked
where fault is not null
