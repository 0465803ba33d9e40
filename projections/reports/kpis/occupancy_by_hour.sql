-- title: Occupancy by hour of the day
-- formula: stays that touch an hour of a day / (spaces x days of the period with any stay)
-- denominator: stalls of the zones that tell how many they have, times the days
-- cohort: stays that touch the period, from reads and sessions
-- unit: ratio
-- by: always by hour
-- only: zone lot
with touched as (
    select hour, sum(stays) as stays from touched_hours group by hour
),
stalls as (select sum(spaces) as spaces from zones where spaces > 0 and wanted(zone, 'zone') and wanted(lot, 'lot')),
days as (select count(distinct date_trunc('day', hour)) as days from touched)
select strftime(hour, '%H:00') as part, sum(stays)::bigint as numerator, any_value(spaces * days)::bigint as denominator
from touched, stalls, days group by 1 order by 1
