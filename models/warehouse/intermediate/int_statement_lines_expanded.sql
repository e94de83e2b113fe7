-- one row: one account that counts in one line of one statement, subtotals included
with statement_lines as (
    select * from {{ ref('statement_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

-- the one line of each statement that an account itself stands in; income goes to the earnings of the others
placed_accounts as (
    select
        accounts.account_key,
        statement_lines.statement_name,
        statement_lines.line_order
    from accounts
    inner join statement_lines
        on
            (
                accounts.statement_name = statement_lines.statement_name
                and accounts.statement_line_code = statement_lines.line_code
            )
            or (
                accounts.cash_flow_line_code = statement_lines.line_code
                and statement_lines.statement_name = 'cash_flow_statement'
            )
            or (
                accounts.statement_name = 'income_statement'
                and statement_lines.statement_name = 'balance_sheet'
                and statement_lines.line_kind = 'earnings'
            )
)

select
    statement_lines.statement_name,
    statement_lines.line_code,
    placed_accounts.account_key,
    statement_lines.line_order,
    statement_lines.line_kind,
    statement_lines.sign,
    statement_lines.line_order = placed_accounts.line_order as is_own_line
from statement_lines
inner join placed_accounts
    on
        statement_lines.statement_name = placed_accounts.statement_name
        and placed_accounts.line_order between statement_lines.first_line_order and statement_lines.last_line_order
