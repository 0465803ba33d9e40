-- title: Patrol coverage
-- formula: zone passes done / planned
-- denominator: planned passes of the zones in the months of the period; needs a plan
-- cohort: date of the first read of a pass; a pass is one patrol session in one zone
-- unit: ratio
-- by: zone month
-- only: zone lot officer device
with done as (
    select part, count(distinct {'patrol': patrol, 'zone': zone}) as passes
    from observations where patrol is not null group by part
),
planned as (
    select case getvariable('by') when 'zone' then p.zone when 'month' then p.month else 'all' end as part, sum(p.target) as target
    from plan p left join zones z on z.zone = p.zone
    where p.measure = 'zone_passes' and wanted(p.zone, 'zone') and wanted(z.lot, 'lot')
    and in_period(timezone(coalesce(getvariable('timezone'), 'UTC'), strptime(p.month, '%Y-%m')))
    group by 1
)
select p.part, coalesce(d.passes, 0) as numerator, p.target as denominator
from planned p left join done d on d.part is not distinct from p.part order by p.part
