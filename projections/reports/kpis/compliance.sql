-- title: Compliance
-- formula: 1 - vehicles in violation / vehicles observed
-- denominator: distinct vehicles read in the period
-- cohort: date of the read; in violation is a vehicle with a citation of the period, neither voided nor dismissed
-- unit: ratio
-- by: zone lot month day
with seen as (select distinct part, vehicle from observations),
wrong as (select distinct part, plate as vehicle from cohort where standing not in ('voided', 'dismissed'))
select s.part, count(*) filter (where w.vehicle is null) as numerator, count(*) as denominator
from seen s left join wrong w on w.part is not distinct from s.part and w.vehicle = s.vehicle
group by s.part order by s.part
