-- one row: budget and actual of one income-statement account of one department, in one period and budget version
with budgets as (
    select * from {{ ref('fct_budgets') }}
),

journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

versions as (
    select distinct budget_version from budgets
),

actuals as (
    select
        journal_lines.department,
        journal_lines.account_id,
        journal_lines.fiscal_period,
        sum(case accounts.normal_balance when 'credit' then -1 else 1 end * journal_lines.net_debit_amount)
            as actual_amount
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    where accounts.statement_name = 'income_statement'
    group by journal_lines.department, journal_lines.account_id, journal_lines.fiscal_period
),

-- whatever is budgeted or posted anywhere in the year appears in every period of every version
cells as (
    select
        department,
        account_id
    from budgets
    union distinct
    select
        department,
        account_id
    from actuals
),

compared as (
    select
        versions.budget_version,
        cells.department,
        cells.account_id,
        accounts.account_name,
        coalesce(accounts.account_type, 'unknown') as account_type,
        accounts.statement_line_code,
        periods.fiscal_period,
        periods.fiscal_year,
        periods.period_start_date,
        periods.is_posted,
        periods.period_status,
        coalesce(budgets.budget_amount, 0) as budget_amount,
        case when periods.is_posted then coalesce(actuals.actual_amount, 0) end as actual_amount,
        case
            when budgets.account_id is not null and actuals.account_id is not null then 'budget and actual'
            when budgets.account_id is not null then 'budget only'
            when actuals.account_id is not null then 'actual only'
            else 'neither'
        end as coverage
    from versions
    cross join cells
    cross join periods
    left join accounts on cells.account_id = accounts.account_id
    left join budgets
        on
            versions.budget_version = budgets.budget_version
            and cells.department = budgets.department
            and cells.account_id = budgets.account_id
            and periods.fiscal_period = budgets.fiscal_period
    left join actuals
        on
            cells.department = actuals.department
            and cells.account_id = actuals.account_id
            and periods.fiscal_period = actuals.fiscal_period
),

accumulated as (
    select
        compared.*,
        case account_type when 'revenue' then 1 else -1 end as profit_sign,
        sum(budget_amount) over year_to_date as year_to_date_budget_amount,
        case when is_posted then sum(actual_amount) over year_to_date end as year_to_date_actual_amount,
        sum(budget_amount) over whole_year as full_year_budget_amount,
        sum(coalesce(actual_amount, budget_amount)) over whole_year as full_year_outlook_amount
    from compared
    window
        whole_year as (partition by budget_version, department, account_id, fiscal_year),
        year_to_date as (
            partition by budget_version, department, account_id, fiscal_year
            order by fiscal_period asc nulls last
            rows between unbounded preceding and current row
        )
)

-- a variance is signed by what it does to profit, whatever the direction of the account
select
    budget_version,
    fiscal_period,
    department,
    account_id,
    coalesce(account_name, 'Unknown account') as account_name,
    account_type,
    statement_line_code,
    period_status,
    coverage,
    cast(budget_amount as numeric(16, 2)) as budget_amount,
    cast(actual_amount as numeric(16, 2)) as actual_amount,
    cast(profit_sign * (actual_amount - budget_amount) as numeric(16, 2)) as variance_amount,
    cast(
        case
            when abs(budget_amount) >= {{ var('variance_rate_floor_amount') }}
                then
                    cast(profit_sign * (actual_amount - budget_amount) as {{ ratio_type() }})
                    / nullif(abs(budget_amount), 0)
        end as numeric(18, 6)
    ) as variance_rate,
    case
        when actual_amount is null then 'not yet posted'
        when actual_amount = budget_amount then 'on budget'
        when profit_sign * (actual_amount - budget_amount) > 0 then 'favourable'
        else 'unfavourable'
    end as variance_effect,
    cast(year_to_date_budget_amount as numeric(16, 2)) as year_to_date_budget_amount,
    cast(year_to_date_actual_amount as numeric(16, 2)) as year_to_date_actual_amount,
    cast(profit_sign * (year_to_date_actual_amount - year_to_date_budget_amount) as numeric(16, 2))
        as year_to_date_variance_amount,
    cast(full_year_budget_amount as numeric(16, 2)) as full_year_budget_amount,
    cast(full_year_outlook_amount as numeric(16, 2)) as full_year_outlook_amount,
    cast(profit_sign * (full_year_outlook_amount - full_year_budget_amount) as numeric(16, 2))
        as full_year_variance_amount,
    period_start_date
from accumulated
