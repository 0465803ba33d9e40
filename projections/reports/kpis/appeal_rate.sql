-- title: Appeal rate
-- formula: appealed citations / issued citations
-- denominator: citations issued in the period, warnings apart
-- cohort: issue date
-- unit: ratio
-- by: zone lot type officer device month day
select part, count(*) filter (where appealed) as numerator, count(*) as denominator
from cohort group by part order by part
