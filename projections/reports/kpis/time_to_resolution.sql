-- title: Time to resolution
-- formula: days from filing to decision / appeals decided
-- denominator: decided appeals against the citations issued in the period
-- cohort: issue date
-- unit: days
-- by: zone lot type officer device month day
select part, sum(resolution) / 86400000000.0 as numerator, sum(resolved)::bigint as denominator
from cohort group by part order by part
