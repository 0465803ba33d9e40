-- title: Turnover
-- formula: distinct stays begun in the period / spaces
-- denominator: stalls of the zones that tell how many they have
-- cohort: stays that begin in the period, from reads and sessions
-- unit: stays a space
-- by: zone lot
-- only: zone lot
with counted as (select part, count(*) as stays from period_stays where in_period(since) group by part),
stalls as (
    select part_of(zone, lot, null, null, null, null) as part, sum(spaces)::bigint as spaces
    from zones where spaces > 0 and wanted(zone, 'zone') and wanted(lot, 'lot') group by 1
)
select s.part, coalesce(c.stays, 0) as numerator, s.spaces as denominator
from stalls s left join counted c on c.part is not distinct from s.part order by s.part
