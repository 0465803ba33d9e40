-- title: Collection by count
-- formula: paid citations / (issued - voided)
-- denominator: citations issued in the period, warnings apart, less voided ones
-- cohort: issue date
-- unit: ratio
-- by: zone lot type officer device month day
select part, count(*) filter (where standing = 'paid') as numerator,
    count(*) filter (where standing <> 'voided') as denominator
from cohort group by part order by part
