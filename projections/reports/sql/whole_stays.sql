-- Reads and stays, worked out from the reads themselves. Right for every `known`, and slow over much history.

-- Looks back 31 days before the period (and before sessions that reach into it): what stood longer and was
-- not seen meanwhile counts as come anew. Without that bound every report would sort all reads ever made.
create or replace view observed_stays as
    with window_begin as (
        select least(getvariable('period_from')::timestamptz, (
            select min(start) from sessions
            where zone is not null and coalesce(until, TIMESTAMPTZ '9999-12-31 00:00:00Z') >= getvariable('period_from')::timestamptz
            and start < coalesce(getvariable('period_to')::timestamptz, TIMESTAMPTZ '9999-12-31 00:00:00Z')
        )) - interval 31 day as since
    ),
    seen as (
        select vehicle, zone, occurred, "position", direction, place,
            lag(zone) over vehicles as zone_before, lag(direction) over vehicles as direction_before,
            lag(occurred) over vehicles as occurred_before
        from reads
        where (getvariable('period_from')::timestamptz is null or occurred >= (select since from window_begin))
        and (getvariable('period_to')::timestamptz is null or occurred < getvariable('period_to')::timestamptz)
        window vehicles as (partition by vehicle order by occurred, "position", read)
    ),
    broken as (
        select *, direction = 'exit' as leaves, coalesce(
            zone_before is distinct from zone or direction_before = 'exit' or direction = 'entry'
            or occurred - occurred_before > interval 1 day, true) as breaks
        from seen
    ),
    grouped as (
        select *, sum((breaks and not leaves)::int) over (
            partition by vehicle order by occurred, "position") as stretch
        from broken where not leaves or (zone_before = zone and direction_before <> 'exit')
    ),
    placed as (
        select *, last_value(case when direction = 'none' then place end ignore nulls) over (
            partition by vehicle, stretch order by occurred, "position" rows between unbounded preceding and 1 preceding
        ) as place_before
        from grouped
    ),
    numbered as (
        select *, sum((not leaves and place is not null and place_before is not null and place <> place_before)::int)
            over (partition by vehicle, stretch order by occurred, "position") as moves
        from placed
    )
    select vehicle, zone, min(occurred) as since, max(occurred) as until
    from numbered group by vehicle, zone, stretch, moves;
comment on view observed_stays is 'From the first to the last observation of a vehicle in one place';

create or replace view stays as
    with observed as materialized (from observed_stays)
    select *, 'reads' as from_what from observed
    union all
    select p.vehicle, p.zone, p.since, p.until, 'session' from session_runs p
    where not exists (
        select 1 from observed o
        where o.vehicle = p.vehicle and o.zone = p.zone and o.since < p.until and o.until >= p.since);
comment on view stays is 'Distinct stays: those that were observed, and sessions in which nobody saw the vehicle';

create or replace view observations as
    select r."position", r.occurred, r.vehicle, r.zone, r.device, r.officer, r.patrol, z.lot, part_of(r.zone, z.lot, null, r.officer, r.device, r.occurred) as part
    from reads r left join zones z on z.zone = r.zone
    where in_period(r.occurred) and wanted(r.zone, 'zone') and wanted(z.lot, 'lot')
    and wanted(r.officer, 'officer') and wanted(r.device, 'device');
comment on view observations is 'The plate reads of the period';

create or replace view period_stays as
    select s.*, z.lot, z.spaces, part_of(s.zone, z.lot, null, null, null, s.since) as part
    from stays s join zones z on z.zone = s.zone
    where z.spaces > 0 and wanted(s.zone, 'zone') and wanted(z.lot, 'lot')
    and (getvariable('period_to')::timestamptz is null or s.since < getvariable('period_to')::timestamptz)
    and (getvariable('period_from')::timestamptz is null or s.until >= getvariable('period_from')::timestamptz);
comment on view period_stays is 'The stays of the period in zones whose stalls are known';

create or replace view touched_hours as
    with clipped as (
        select zone, greatest(office_time(since), office_time(coalesce(getvariable('period_from')::timestamptz, since))) as since,
            least(office_time(until), office_time(coalesce(getvariable('period_to')::timestamptz, instant()) - interval 1 microsecond)) as until
        from period_stays
    )
    select unnest(generate_series(date_trunc('hour', since), date_trunc('hour', until), interval 1 hour)) as hour, 1 as stays
    from clipped where until >= since;
comment on view touched_hours is 'The hours of the office that stays of the period touch, and how many stays';
