-- one row: one account in one fiscal period, with or without activity
with journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

used_accounts as (
    select distinct account_key from journal_lines
),

grid as (
    select
        accounts.account_key,
        accounts.account_id,
        periods.fiscal_period,
        periods.is_posted
    from accounts
    cross join periods
    left join used_accounts on accounts.account_key = used_accounts.account_key
    where accounts.is_posting or used_accounts.account_key is not null
),

movements as (
    select
        account_key,
        fiscal_period,
        sum(case when is_opening then 0 else debit_amount end) as debit_amount,
        sum(case when is_opening then 0 else credit_amount end) as credit_amount,
        sum(net_debit_amount) as net_debit_amount,
        sum(case when is_late_entry then net_debit_amount else 0 end) as late_entry_amount,
        sum(case when is_closed_period_entry then net_debit_amount else 0 end) as closed_period_entry_amount,
        sum(case when is_reversal then net_debit_amount else 0 end) as reversal_amount
    from journal_lines
    group by account_key, fiscal_period
),

arrivals as (
    select
        account_key,
        entry_fiscal_period,
        sum(net_debit_amount) as late_arrival_amount
    from journal_lines
    where is_late_entry
    group by account_key, entry_fiscal_period
),

summed as (
    select
        grid.account_key,
        grid.account_id,
        grid.fiscal_period,
        grid.is_posted,
        coalesce(movements.debit_amount, 0) as debit_amount,
        coalesce(movements.credit_amount, 0) as credit_amount,
        coalesce(movements.late_entry_amount, 0) as late_entry_amount,
        coalesce(movements.closed_period_entry_amount, 0) as closed_period_entry_amount,
        coalesce(movements.reversal_amount, 0) as reversal_amount,
        coalesce(arrivals.late_arrival_amount, 0) as late_arrival_amount,
        sum(coalesce(movements.net_debit_amount, 0)) over (
            partition by grid.account_key
            order by grid.fiscal_period asc nulls last
            rows between unbounded preceding and current row
        ) as closing_amount
    from grid
    left join movements
        on grid.account_key = movements.account_key and grid.fiscal_period = movements.fiscal_period
    left join arrivals
        on grid.account_key = arrivals.account_key and grid.fiscal_period = arrivals.entry_fiscal_period
)

select
    account_key,
    account_id,
    fiscal_period,
    cast(case when is_posted then closing_amount - debit_amount + credit_amount end as numeric(16, 2))
        as opening_amount,
    cast(case when is_posted then debit_amount end as numeric(16, 2)) as debit_amount,
    cast(case when is_posted then credit_amount end as numeric(16, 2)) as credit_amount,
    cast(case when is_posted then debit_amount - credit_amount end as numeric(16, 2)) as movement_amount,
    cast(case when is_posted then closing_amount end as numeric(16, 2)) as closing_amount,
    cast(case when is_posted then late_entry_amount end as numeric(16, 2)) as late_entry_amount,
    cast(case when is_posted then closed_period_entry_amount end as numeric(16, 2)) as closed_period_entry_amount,
    cast(case when is_posted then reversal_amount end as numeric(16, 2)) as reversal_amount,
    cast(case when is_posted then late_arrival_amount end as numeric(16, 2)) as late_arrival_amount
from summed
