-- The same from the rows that the archive and the tail keep of reads: each tells where its vehicle stood before, so
-- nothing is sorted, and only the period is read.

create or replace view zones as from standing_zones;

create or replace view sightings as
    select s.* from all_sightings s left join (
        select read_position, max("position") as newest from all_retold group by read_position
    ) r on r.read_position = s.read_position
    where r.newest is null or r.newest = s."position";

create or replace view observations as
    select r.read_position as "position", r.occurred, r.vehicle, r.zone, r.device, r.officer, r.patrol, z.lot,
        part_of(r.zone, z.lot, null, r.officer, r.device, r.occurred) as part
    from sightings r left join zones z on z.zone = r.zone
    where in_period(r.occurred) and wanted(r.zone, 'zone') and wanted(z.lot, 'lot')
    and wanted(r.officer, 'officer') and wanted(r.device, 'device');

-- Runs of sessions that reach into the period, and in which nobody saw the vehicle.
create or replace view unseen_runs as
    with runs as (
        select *, row_number() over () as run from standing_runs
        where (getvariable('period_to')::timestamptz is null or since < getvariable('period_to')::timestamptz)
        and (getvariable('period_from')::timestamptz is null or until >= getvariable('period_from')::timestamptz)
    ),
    seen as (
        select distinct p.run from runs p join sightings s on s.vehicle = p.vehicle and s.zone = p.zone
        and coalesce(s.since, s.occurred) < p.until and s.occurred >= p.since
        where s.stays
        and (getvariable('period_to')::timestamptz is null or s.occurred < getvariable('period_to')::timestamptz)
    )
    select * from runs where run not in (from seen);

create or replace view steps as
    select s.zone, z.lot, z.spaces, s.occurred, s.since from sightings s join zones z on z.zone = s.zone
    where s.stays and in_period(s.occurred) and z.spaces > 0 and wanted(s.zone, 'zone') and wanted(z.lot, 'lot');
comment on view steps is 'Reads of the period that begin a stay, or that one is seen at again since the read before';

-- A stay is told by its first read in the period; what began before has no begin in it.
create or replace view period_stays as
    select zone, lot, spaces, coalesce(since, occurred) as since, part_of(zone, lot, null, null, null, null) as part
    from steps where since is null or since < getvariable('period_from')::timestamptz
    union all
    select r.zone, z.lot, z.spaces, r.since, part_of(r.zone, z.lot, null, null, null, null)
    from unseen_runs r join zones z on z.zone = r.zone
    where z.spaces > 0 and wanted(r.zone, 'zone') and wanted(z.lot, 'lot');

-- Reads are counted by quarters of an hour first: the hours of every time zone begin with one.
create or replace view touched_hours as
    with edges as (
        select office_time(getvariable('period_from')::timestamptz) as first,
            office_time(coalesce(getvariable('period_to')::timestamptz, instant()) - interval 1 microsecond) as last
    ),
    counted as materialized (
        select epoch_us(occurred) // 900000000 as quarter, epoch_us(since) // 900000000 as before,
            coalesce(since < getvariable('period_from')::timestamptz, false) as came_before, count(*) as stays
        from steps where since is not null or getvariable('period_to')::timestamptz is not null or occurred < instant()
        group by all
    ),
    told as (
        select date_trunc('hour', office_time(make_timestamptz(quarter * 900000000))) as hour,
            date_trunc('hour', office_time(make_timestamptz(before * 900000000))) as hour_before, came_before, stays
        from counted
    ),
    going_on as (
        select case when came_before then date_trunc('hour', first) else hour_before + interval 1 hour end as since,
            least(hour, date_trunc('hour', last)) as until, stays
        from told, edges where came_before or hour_before < hour
    ),
    unseen as (
        select r.zone, date_trunc('hour', greatest(office_time(r.since), first)) as since,
            date_trunc('hour', least(office_time(r.until), last)) as until
        from unseen_runs r join zones z on z.zone = r.zone, edges
        where z.spaces > 0 and wanted(r.zone, 'zone') and wanted(z.lot, 'lot')
        and least(office_time(r.until), last) >= greatest(office_time(r.since), first)
    )
    select hour, stays from told where hour_before is null
    union all
    select unnest(generate_series(since, until, interval 1 hour)), stays from going_on
    union all
    select unnest(generate_series(since, until, interval 1 hour)), 1 from unseen;
