-- title: Occupancy by hour of the day
-- formula: stays that touch an hour of a day / (spaces x days of the period with any stay)
-- denominator: stalls of the zones that tell how many they have, times the days
-- cohort: stays that touch the period, from reads and sessions
-- unit: ratio
-- by: always by hour
with clipped as (
    select zone, greatest(office_time(since), office_time(coalesce(getvariable('period_from')::timestamptz, since))) as since,
        least(office_time(until), office_time(coalesce(getvariable('period_to')::timestamptz, instant()) - interval 1 microsecond)) as until
    from period_stays
),
touched as (
    select zone, unnest(generate_series(date_trunc('hour', since), least(date_trunc('hour', until), date_trunc('hour', since) + interval 30 day), interval 1 hour)) as hour
    from clipped where until >= since
),
stalls as (select sum(spaces) as spaces from zones where spaces > 0 and wanted(zone, 'zone') and wanted(lot, 'lot')),
days as (select count(distinct date_trunc('day', hour)) as days from touched)
select strftime(hour, '%H:00') as part, count(*) as numerator, any_value(spaces * days)::bigint as denominator
from touched, stalls, days group by 1 order by 1
