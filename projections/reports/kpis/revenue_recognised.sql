-- title: Permit revenue, recognised
-- formula: sum over payments of amount x local days of the term inside the period / local days of the term
-- denominator: none, it is an amount; each payment is rounded half up
-- cohort: days of the permit's term
-- unit: cents
-- by: type zone
-- only: zone type
with terms as (
    select part, kept,
        office_time(start)::date as first, office_time(until - interval 1 microsecond)::date as last,
        greatest(start, coalesce(getvariable('period_from')::timestamptz, start)) as begin,
        least(until, coalesce(getvariable('period_to')::timestamptz, until)) as ends, start, until
    from revenue_lines where until > start
),
counted as (
    select part, kept, date_diff('day', first, last) + 1 as whole,
        case when ends > begin
            then date_diff('day', office_time(begin)::date, office_time(ends - interval 1 microsecond)::date) + 1
            else 0 end as inside
    from terms
)
select part, sum((2 * kept * inside + whole) // (2 * whole))::bigint as numerator, null::bigint as denominator
from counted group by part order by part
