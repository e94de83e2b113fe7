-- one row: one account or heading of the (simulated) general ledger, or one that is gone from the chart and still used
with recursive chart_of_accounts as (
    select * from {{ ref('stg_erp__chart_of_accounts') }}
),

chart_history as (
    select * from {{ ref('chart_of_accounts_history') }}
),

statement_accounts as (
    select * from {{ ref('statement_accounts') }}
),

statement_history as (
    select * from {{ ref('statement_accounts_history') }}
),

journal_lines as (
    select * from {{ ref('stg_erp__journal_lines') }}
),

budgets as (
    select * from {{ ref('stg_erp__budgets') }}
),

control_totals as (
    select *
    from {{ area_ref('control_totals', 'stg_erp__control_totals', {'account_id': var('account_id_type')}) }}
),

used_accounts as (
    select account_id from journal_lines
    union distinct
    select account_id from budgets
    union distinct
    select account_id from control_totals
),

withdrawn_accounts as (
    {{ withdrawn_rows('chart_history', 'chart_of_accounts', 'account_id') }}
),

withdrawn_lines as (
    {{ withdrawn_rows('statement_history', 'statement_accounts', 'account_id') }}
),

-- headings that are gone stay: an account that is gone may hang from them
accounts as (
    select
        account_id,
        account_name,
        parent_account_id,
        account_type,
        statement_name,
        normal_balance,
        is_posting,
        false as is_withdrawn
    from chart_of_accounts

    union all

    select
        withdrawn_accounts.account_id,
        withdrawn_accounts.account_name,
        withdrawn_accounts.parent_account_id,
        withdrawn_accounts.account_type,
        withdrawn_accounts.statement_name,
        withdrawn_accounts.normal_balance,
        withdrawn_accounts.is_posting,
        true as is_withdrawn
    from withdrawn_accounts
    left join used_accounts on withdrawn_accounts.account_id = used_accounts.account_id
    where used_accounts.account_id is not null or not withdrawn_accounts.is_posting
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
    where hierarchy.level_number < 10 -- no chart is deeper; a test reports one that is
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
    accounts.is_withdrawn,
    -- without a way up to the top, which a test reports, an account stands alone
    coalesce(hierarchy.level_number, 1) as level_number,
    coalesce(hierarchy.heading_1_name, accounts.account_name) as heading_1_name,
    hierarchy.heading_2_name,
    coalesce(hierarchy.account_path, accounts.account_name) as account_path,
    coalesce(statement_accounts.line_code, withdrawn_lines.line_code) as statement_line_code,
    coalesce(statement_accounts.cash_flow_line_code, withdrawn_lines.cash_flow_line_code) as cash_flow_line_code
from accounts
left join hierarchy on accounts.account_id = hierarchy.account_id
left join statement_accounts on accounts.account_id = statement_accounts.account_id
-- an account of the chart has the line that finance gives it today, or none, which a test reports
left join withdrawn_lines on accounts.account_id = withdrawn_lines.account_id and accounts.is_withdrawn

union all

-- the unknown member: postings to an account that no chart had
select
    0 as account_key,
    {{ unknown_id('account_id') }} as account_id,
    'Unknown account' as account_name,
    null as parent_account_id,
    'unknown' as account_type,
    'unknown' as statement_name,
    'debit' as normal_balance,
    false as is_posting,
    false as is_withdrawn,
    1 as level_number,
    'Unknown account' as heading_1_name,
    null as heading_2_name,
    'Unknown account' as account_path,
    null as statement_line_code,
    null as cash_flow_line_code
