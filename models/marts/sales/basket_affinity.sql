-- one row: one category and one other that baskets hold together, each pair in both directions
with category_baskets as (
    select * from {{ ref('int_category_baskets_counted') }}
),

expected_pairs as (
    select * from {{ ref('int_category_pairs_expected') }}
),

spread_pairs as (
    select * from {{ ref('int_category_pairs_spread') }}
),

categories as (
    select
        product_category,
        sum(baskets_count) as baskets_count
    from category_baskets
    group by product_category
),

-- a basket of k categories stands in k rows
totals as (
    select round(sum(cast(baskets_count as {{ ratio_type() }}) / categories_count), 0) as all_baskets_count
    from category_baskets
),

compared as (
    select
        spread_pairs.product_category,
        spread_pairs.other_product_category,
        spread_pairs.pair_baskets_count,
        expected_pairs.expected_baskets_count,
        spread_pairs.pair_baskets_count / nullif(expected_pairs.expected_baskets_count, 0) as affinity,
        spread_pairs.standard_error_baskets_count / spread_pairs.pair_baskets_count as relative_error
    from spread_pairs
    inner join expected_pairs
        on
            spread_pairs.product_category = expected_pairs.product_category
            and spread_pairs.other_product_category = expected_pairs.other_product_category
),

-- 2.093 is what t of 19 degrees of freedom, 20 groups, exceeds in 2.5 %
intervals as (
    select
        compared.*,
        affinity * exp(-2.093 * relative_error) as affinity_lower,
        affinity * exp(2.093 * relative_error) as affinity_upper,
        abs(ln(affinity)) / nullif(relative_error, 0) as t_value
    from compared
),

-- that t as a normal deviate, and its chance on both sides
chances as (
    select
        intervals.*,
        {{ erfc('(1 - 1 / 76e0) * t_value / sqrt(1 + t_value * t_value / 38) / sqrt(2e0)') }} as p_value
    from intervals
),

ranked as (
    select
        chances.*,
        p_value * count(p_value) over () / count(p_value) over (order by p_value asc nulls last) as ranked_p_value
    from chances
),

-- Benjamini and Hochberg: of the pairs called clear, 5 % at most are expected to be chance
adjusted as (
    select
        ranked.*,
        case
            when p_value is not null
                then
                    min(ranked_p_value) over (
                        order by p_value desc nulls last range between unbounded preceding and current row
                    )
        end as adjusted_p_value
    from ranked
),

directed_pairs as (
    select
        product_category as one_category,
        other_product_category as other_category,
        adjusted.*
    from adjusted

    union all

    select
        other_product_category as one_category,
        product_category as other_category,
        adjusted.*
    from adjusted
)

select
    directed_pairs.one_category as product_category,
    directed_pairs.other_category as other_product_category,
    directed_pairs.pair_baskets_count,
    cast(categories.baskets_count as integer) as baskets_count,
    cast(other_categories.baskets_count as integer) as other_baskets_count,
    cast(totals.all_baskets_count as integer) as all_baskets_count,
    cast(directed_pairs.pair_baskets_count / totals.all_baskets_count as numeric(12, 8)) as support_rate,
    cast(cast(directed_pairs.pair_baskets_count as {{ ratio_type() }}) / categories.baskets_count as numeric(12, 8))
        as confidence_rate,
    cast(
        cast(directed_pairs.pair_baskets_count as {{ ratio_type() }}) / other_categories.baskets_count as numeric(12, 8)
    ) as reverse_confidence_rate,
    cast(
        directed_pairs.pair_baskets_count * totals.all_baskets_count
        / (cast(categories.baskets_count as {{ ratio_type() }}) * other_categories.baskets_count) as numeric(14, 6)
    ) as lift,
    cast(directed_pairs.expected_baskets_count as numeric(14, 2)) as expected_baskets_count,
    cast(directed_pairs.affinity as numeric(14, 6)) as affinity,
    cast(directed_pairs.affinity_lower as numeric(14, 6)) as affinity_lower,
    cast(directed_pairs.affinity_upper as numeric(14, 6)) as affinity_upper,
    cast(directed_pairs.adjusted_p_value as numeric(8, 6)) as adjusted_p_value,
    case
        when directed_pairs.adjusted_p_value < 0.05 and directed_pairs.affinity > 1 then 'together'
        when directed_pairs.adjusted_p_value < 0.05 and directed_pairs.affinity < 1 then 'apart'
        else 'cannot tell'
    end as verdict
from directed_pairs
inner join categories on directed_pairs.one_category = categories.product_category
inner join categories as other_categories on directed_pairs.other_category = other_categories.product_category
cross join totals
