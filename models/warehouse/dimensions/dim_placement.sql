-- one row: one combination of a display and a mailer code, listed in the code books or only seen in the data
with display_locations as (
    select * from {{ ref('display_locations') }}
),

display_history as (
    select * from {{ ref('display_locations_history') }}
),

mailer_locations as (
    select * from {{ ref('mailer_locations') }}
),

mailer_history as (
    select * from {{ ref('mailer_locations_history') }}
),

observed_placements as (
    select * from {{ ref('int_placements_observed') }}
),

withdrawn_displays as (
    {{ withdrawn_rows('display_history', 'display_locations', 'display_code') }}
),

withdrawn_mailers as (
    {{ withdrawn_rows('mailer_history', 'mailer_locations', 'mailer_code') }}
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

-- a code that is gone from its book keeps the name that the book gave it
select
    {{ surrogate_key(['placements.display_code', 'placements.mailer_code']) }} as placement_key,
    placements.display_code,
    coalesce(
        display_locations.display_name,
        withdrawn_displays.display_name,
        'Unlisted display ' || placements.display_code
    ) as display_name,
    placements.mailer_code,
    coalesce(
        mailer_locations.mailer_name,
        withdrawn_mailers.mailer_name,
        'Unlisted mailer ' || placements.mailer_code
    ) as mailer_name,
    placements.display_code <> '0' as is_on_display,
    placements.mailer_code <> '0' as is_on_mailer,
    display_locations.display_code is not null and mailer_locations.mailer_code is not null as is_listed
from placements
left join display_locations on placements.display_code = display_locations.display_code
left join withdrawn_displays on placements.display_code = withdrawn_displays.display_code
left join mailer_locations on placements.mailer_code = mailer_locations.mailer_code
left join withdrawn_mailers on placements.mailer_code = withdrawn_mailers.mailer_code

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
