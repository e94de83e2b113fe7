-- question: Do the best customers stay the best?
-- how to read it: where the Champions of the month before stand at the newest month's end. Scores are relative, so
--   somebody leaves when somebody comes; a month with many moves isn't a bad one by itself.
-- answer on the default data: Of 519 Champions 338 stay (65.1 %), 130 become Loyal, and 50 are At risk, for they
--   haven't been seen for a while.
with moves as (
    select * from {{ ref('segment_migration') }}
),

newest as (
    select max(month_start_date) as month_start_date from moves
)

select
    moves.month_start_date,
    moves.to_segment_name,
    moves.customers_count,
    moves.from_customers_count,
    round(100 * moves.migration_rate, 1) as migration_percent
from moves
inner join newest on moves.month_start_date = newest.month_start_date
where moves.from_segment_name = 'Champions'
order by moves.customers_count desc, moves.to_segment_name asc
