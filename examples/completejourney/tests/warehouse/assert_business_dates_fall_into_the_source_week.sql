-- Store time, not UTC: the source numbers its weeks in store time, so each sale's business date lies in the week
-- that the source says. A business date taken in UTC puts late evenings into the next day, and Sunday evenings into
-- the next week.
{{ config(meta={'narrowed_by': 'stg_pos__transactions'}) }}
with sales as (
    select * from {{ ref('stg_pos__transactions') }}
),

dates as (
    select * from {{ ref('dim_date') }}
)

select
    sales.business_date,
    sales.source_week_number,
    dates.retail_week_number,
    count(*) as lines_count
from sales
left join dates on sales.business_date = dates.date_key
where sales.source_week_number is distinct from dates.retail_week_number
group by
    sales.business_date,
    sales.source_week_number,
    dates.retail_week_number
