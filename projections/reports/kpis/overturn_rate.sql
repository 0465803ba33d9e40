-- title: Overturn rate
-- formula: citations dismissed or reduced / citations decided, by the decision that stands
-- denominator: citations issued in the period whose appeal was decided
-- cohort: issue date
-- unit: ratio
-- by: zone lot type officer device month day
select part, count(*) filter (where outcome in ('dismissed', 'reduced')) as numerator,
    count(*) filter (where outcome is not null) as denominator
from cohort group by part order by part
