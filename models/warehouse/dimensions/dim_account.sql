-- one row: one account or heading of the (simulated) general ledger
with recursive accounts as (
    select * from {{ ref('stg_erp__chart_of_accounts') }}
),

statement_accounts as (
    select * from {{ ref('statement_accounts') }}
),

hierarchy as (
    select
        account_id,
        1 as level_number,
        account_name as heading_1_name,
        cast(null as {{ dbt.type_string() }}) as heading_2_name,
        account_name as account_path
    from accounts
    where parent_account_id is null

    union all

    select
        accounts.account_id,
        hierarchy.level_number + 1 as level_number,
        hierarchy.heading_1_name,
        case when hierarchy.level_number = 1 then accounts.account_name else hierarchy.heading_2_name end
            as heading_2_name,
        hierarchy.account_path || ' > ' || accounts.account_name as account_path
    from accounts
    inner join hierarchy on accounts.parent_account_id = hierarchy.account_id
    where hierarchy.level_number < 10 -- a chart that runs in a circle ends here, and the test of the path names it
)

select
    {{ surrogate_key(['accounts.account_id']) }} as account_key,
    accounts.account_id,
    accounts.account_name,
    accounts.parent_account_id,
    accounts.account_type,
    accounts.statement_name,
    accounts.normal_balance,
    accounts.is_posting,
    hierarchy.level_number,
    hierarchy.heading_1_name,
    hierarchy.heading_2_name,
    hierarchy.account_path,
    statement_accounts.line_code as statement_line_code,
    statement_accounts.cash_flow_line_code
from accounts
left join hierarchy on accounts.account_id = hierarchy.account_id
left join statement_accounts on accounts.account_id = statement_accounts.account_id

union all

-- the unknown member: postings to an account that the chart doesn't have
select
    0 as account_key,
    0 as account_id,
    'Unknown account' as account_name,
    null as parent_account_id,
    'unknown' as account_type,
    'unknown' as statement_name,
    'debit' as normal_balance,
    false as is_posting,
    1 as level_number,
    'Unknown account' as heading_1_name,
    null as heading_2_name,
    'Unknown account' as account_path,
    null as statement_line_code,
    null as cash_flow_line_code
