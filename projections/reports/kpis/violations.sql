-- title: Violations
-- formula: citations issued that were not voided
-- denominator: none, it is a count
-- cohort: issue date
-- unit: citations
-- by: zone lot type officer device month day hour
select part, count(*) filter (where standing <> 'voided') as numerator, null::bigint as denominator
from cohort group by part order by numerator desc, part
