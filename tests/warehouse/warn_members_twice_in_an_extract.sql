-- A full extract has each product and each customer once. Failure rows: one that is in a file more than once; its
-- dimension takes any of its rows, always the same.
{{ config(severity='warn', meta={'explained_by': 'message'}) }}

with products as (
    select * from {{ ref('stg_pos__products') }}
),

{% if area_is_on('loyalty') %}
    households as (
        select * from {{ ref('stg_loyalty__households') }}
    ),
{% endif %}

files as (
    -- the ledger itself, for the files' names: by its staging view, the test would run in each build, whatever came
    select * from {{ loader_ledger() if execute }}
),

repeated as (
    select
        'product ' || {{ as_text('product_id') }} as member,
        extract_date,
        _file_id,
        count(*) as rows_count
    from products
    group by product_id, extract_date, _file_id
    having count(*) > 1
    {% if area_is_on('loyalty') %}
        union all
        select
            'customer ' || {{ as_text('customer_id') }} as member,
            extract_date,
            _file_id,
            count(*) as rows_count
        from households
        group by customer_id, extract_date, _file_id
        having count(*) > 1
    {% endif %}
)

select
    repeated.member,
    repeated.extract_date,
    repeated.rows_count,
    files.key,
    files.key || ': ' || repeated.member || ' is there ' || {{ as_text('repeated.rows_count') }} || ' times' as message
from repeated
left join files on repeated._file_id = files.file_id
