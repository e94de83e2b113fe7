-- one row: one combination of a display and a mailer code, listed in the code books or only seen in the data
with display_locations as (
    select * from {{ ref('display_locations') }}
),

mailer_locations as (
    select * from {{ ref('mailer_locations') }}
),

observed_placements as (
    select * from {{ ref('int_placements_observed') }}
),

delivered as (
    select distinct
        display_code,
        mailer_code
    from observed_placements
),

placements as (
    select
        display_locations.display_code,
        mailer_locations.mailer_code
    from display_locations
    cross join mailer_locations
    union distinct
    select
        display_code,
        mailer_code
    from delivered
)

select
    {{ surrogate_key(['placements.display_code', 'placements.mailer_code']) }} as placement_key,
    placements.display_code,
    coalesce(display_locations.display_name, 'Unlisted display ' || placements.display_code) as display_name,
    placements.mailer_code,
    coalesce(mailer_locations.mailer_name, 'Unlisted mailer ' || placements.mailer_code) as mailer_name,
    placements.display_code <> '0' as is_on_display,
    placements.mailer_code <> '0' as is_on_mailer,
    display_locations.display_code is not null and mailer_locations.mailer_code is not null as is_listed
from placements
left join display_locations on placements.display_code = display_locations.display_code
left join mailer_locations on placements.mailer_code = mailer_locations.mailer_code

union all

-- the unknown member
select
    0 as placement_key,
    '?' as display_code,
    'Unknown' as display_name,
    '?' as mailer_code,
    'Unknown' as mailer_name,
    false as is_on_display,
    false as is_on_mailer,
    false as is_listed
