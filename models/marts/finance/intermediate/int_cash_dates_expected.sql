-- one row: one date on which a payment that comes again and again is due, in the half-year after the (simulated) books
with journal_lines as (
    select * from {{ ref('fct_journal_lines') }}
),

accounts as (
    select * from {{ ref('dim_account') }}
),

cash_rules as (
    select * from {{ ref('cash_rules') }}
),

ledger as (
    select max(posting_date) as ledger_date
    from journal_lines
),

-- a day on which a payment was taken back has none
cash_days as (
    select
        journal_lines.journal_type,
        journal_lines.posting_date,
        sum(journal_lines.net_debit_amount) as cash_amount,
        row_number() over (
            partition by journal_lines.journal_type order by journal_lines.posting_date desc nulls last
        ) as place
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    where accounts.statement_line_code = 'cash'
    group by
        journal_lines.journal_type,
        journal_lines.posting_date
    having sum(journal_lines.net_debit_amount) <> 0
),

balances as (
    select
        accounts.statement_line_code,
        sum(journal_lines.net_debit_amount) as balance_amount
    from journal_lines
    inner join accounts on journal_lines.account_key = accounts.account_key
    group by accounts.statement_line_code
),

-- what was paid the last times, and when
usual as (
    select
        cash_rules.journal_type,
        cash_rules.rule,
        cash_rules.every_count,
        cash_rules.balance_line_code,
        max(cash_days.posting_date) as last_date,
        avg(cast(cash_days.cash_amount as {{ ratio_type() }})) as mean_amount
    from cash_rules
    inner join cash_days
        on
            cash_rules.journal_type = cash_days.journal_type
            and cash_rules.averaged_count >= cash_days.place
    where cash_rules.rule in ('every days', 'every months')
    group by
        cash_rules.journal_type,
        cash_rules.rule,
        cash_rules.every_count,
        cash_rules.balance_line_code
),

times as (
    {%- for number in range(1, 14) %}
        select {{ number }} as time_number
        {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

-- a month's last day stays the last
dated as (
    select
        usual.*,
        times.time_number,
        cast(case
            when usual.rule = 'every days'
                then {{ dbt.dateadd('day', 'usual.every_count * times.time_number', 'usual.last_date') }}
            when usual.last_date = {{ dbt.last_day('usual.last_date', 'month') }}
                then {{ dbt.last_day(
                    dbt.dateadd('month', 'usual.every_count * times.time_number', 'usual.last_date'), 'month'
                ) }}
            else {{ dbt.dateadd('month', 'usual.every_count * times.time_number', 'usual.last_date') }}
        end as date) as due_date
    from usual
    cross join times
)

-- the next time what stands in the books is paid, where a balance says it
select
    dated.journal_type,
    dated.due_date,
    cast(
        case
            when dated.time_number = 1 then coalesce(balances.balance_amount, dated.mean_amount)
            else dated.mean_amount
        end
        as numeric(16, 2)
    ) as cash_amount
from dated
cross join ledger
left join balances on dated.balance_line_code = balances.statement_line_code
where
    dated.due_date > ledger.ledger_date
    and dated.due_date <= {{ dbt.dateadd('day', 182, 'ledger.ledger_date') }}
