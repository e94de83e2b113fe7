-- one row: the (simulated) budget of one account and department in one period and version
with budgets as (
    select * from {{ ref('stg_erp__budgets') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

departments as (
    select * from {{ ref('dim_department') }}
),

numbered as (
    select
        budgets.*,
        case budget_version when 'original' then 1 when 'revised' then 2 end as version_number
    from budgets
),

ranked as (
    select
        numbered.*,
        max(version_number) over (partition by fiscal_period) as newest_version_number
    from numbered
)

select
    ranked.budget_version,
    ranked.fiscal_period,
    case when ranked.department is null then -1 else coalesce(departments.department_key, 0) end as department_key,
    coalesce(accounts.account_key, 0) as account_key,
    ranked.account_id,
    coalesce(ranked.department, 'NO DEPARTMENT') as department,
    ranked.budget_amount,
    case when accounts.normal_balance = 'credit' then -ranked.budget_amount else ranked.budget_amount end
        as net_debit_amount,
    cast(ranked.budget_units_count as {{ var('quantity_type') }}) as budget_units_count,
    ranked.version_number = ranked.newest_version_number as is_in_force
from ranked
left join accounts on ranked.account_id = accounts.account_id
left join departments on ranked.department = departments.department
