-- one row: one department that products, journals or budgets name
with products as (
    select distinct department from {{ ref('dim_product') }}
),

journal_lines as (
    select distinct department from {{ area_ref('ledger', 'stg_erp__journal_lines', {'department': 'text'}) }}
),

budgets as (
    select * from {{ area_ref('ledger', 'stg_erp__budgets', {'department': 'text'}) }}
),

mentions as (
    select
        department,
        'products' as source_name
    from products
    union distinct
    select
        department,
        'journals' as source_name
    from journal_lines
    union distinct
    select
        department,
        'budgets' as source_name
    from budgets
),

departments as (
    select
        department,
        max(case when source_name = 'products' then 1 else 0 end) as in_products,
        max(case when source_name = 'journals' then 1 else 0 end) as in_journals,
        max(case when source_name = 'budgets' then 1 else 0 end) as in_budgets
    from mentions
    where department is not null and department <> 'UNKNOWN'
    group by department
),

members as (
    select
        {{ surrogate_key(['department']) }} as department_key,
        department,
        in_products = 1 as has_products,
        in_journals = 1 as has_journals,
        in_budgets = 1 as has_budgets
    from departments

    union all

    -- the unknown member: what the tills sold and no product extract knows; journals call it UNKNOWN, too
    select
        0 as department_key,
        'UNKNOWN' as department,
        false as has_products,
        exists(
            select 1
            from journal_lines
            where department = 'UNKNOWN'
        ) as has_journals,
        exists(
            select 1
            from budgets
            where department = 'UNKNOWN'
        ) as has_budgets

    union all

    -- what belongs to no department, such as rent
    select
        -1 as department_key,
        'NO DEPARTMENT' as department,
        false as has_products,
        exists(
            select 1
            from journal_lines
            where department is null
        ) as has_journals,
        exists(
            select 1
            from budgets
            where department is null
        ) as has_budgets
)

select
    department_key,
    department,
    has_products,
    {{ area_value('ledger', 'has_journals', 'boolean') }} as has_journals,
    {{ area_value('ledger', 'has_budgets', 'boolean') }} as has_budgets
from members
