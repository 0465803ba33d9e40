-- title: Collection by value
-- formula: payments / (payments + still due), net of refunds and returned payments
-- denominator: cents paid and still due on the citations issued in the period, fees included
-- cohort: issue date
-- unit: ratio
-- by: zone lot type officer device month day
select part, sum(paid)::bigint as numerator, (sum(paid) + sum(balance))::bigint as denominator
from cohort group by part order by part
