-- What follows from `all_events` and the `standing_…` rows, as macros.sql explains.

create or replace view events as
    select * exclude ("at"), "at" as occurred from all_events where "position" <= known_position();
comment on view events is 'Every event as it was known: the envelope, and one column for each field of the catalogue';
comment on column events.occurred is 'When it happened in the world, as its source claims';
comment on column events.recorded is 'When the log accepted it; never decreases with position';
comment on column events.plate is 'Keyed hash of the plate: tells vehicles apart and names none';

create or replace view few_known_events as
    select * exclude ("at"), "at" as occurred from few_events where "position" <= known_position();
comment on view few_known_events is 'The events, few in number, that say what others are about';

create or replace view zones as
    select zone, arg_max(name, {'at': occurred, 'position': "position"}) as name, arg_max(timezone, {'at': occurred, 'position': "position"}) as timezone,
        arg_max_null(capacity, {'at': occurred, 'position': "position"}) as capacity, arg_max_null(spaces, {'at': occurred, 'position': "position"}) as spaces,
        coalesce(arg_max_null(lot, {'at': occurred, 'position': "position"}), zone) as lot
    from few_known_events where type = 'ZoneOpened' group by zone;
comment on view zones is 'Each zone with its lot (itself where it belongs to none), time zone, capacity and stalls';

create or replace view corrections as
    select read, arg_max(coalesce(candidate, plate), {'at': occurred, 'position': "position"}) as vehicle
    from few_known_events where type in ('PlateReadCorrected', 'PossibleMatchConfirmed') group by read;
comment on view corrections is 'Which vehicle a read was of, as a person said last';

create or replace view reads as
    select e."position", e.occurred, e.recorded, e.read, coalesce(c.vehicle, e.plate) as vehicle, e.zone, e.device,
        e.officer, e.session as patrol, e.direction, e.place, e.online, e.confidence, e.shown,
        c.vehicle is not null as corrected
    from events e left join corrections c on c.read = e.read
    where e.type = 'PlateRead';
comment on view reads is 'Plate reads, misreads counted for the vehicle that they were of';
comment on column reads.patrol is 'The patrol session in which an officer or vehicle read it';

create or replace view citations as
    select c.*, coalesce(z.lot, c.zone) as lot from standing_citations c left join zones z on z.zone = c.zone;
comment on view citations is 'Each citation as it stands: amounts in minor units (cents)';
comment on column citations.standing is 'paid, unpaid, voided (withdrawn as an error) or dismissed (on appeal)';
comment on column citations.paid is 'What was paid on it, less refunds and returned payments';
comment on column citations.balance is 'Fine and fees less what was paid';
comment on column citations.outcome is 'The decision that stands: upheld, reduced or dismissed; null for none';
comment on column citations.resolution is 'Microseconds from filing to decision, all its decided appeals together';

create or replace view permit_payments as from standing_permits;
comment on view permit_payments is 'Each permit with each of its payments, and the term that it pays for; `kept` is what stands of it, in cents';

create or replace view sessions as from standing_sessions where start is not null;
comment on view sessions is 'The times `[start, until)` that sessions let vehicles stand';

create or replace view session_runs as
    with begun as (
        select plate as vehicle, zone, start, coalesce(until, TIMESTAMPTZ '9999-12-31 00:00:00Z') as until,
            max(coalesce(until, TIMESTAMPTZ '9999-12-31 00:00:00Z')) over (
                partition by plate, zone order by start, until rows between unbounded preceding and 1 preceding
            ) as until_before
        from sessions where zone is not null
    ),
    counted as (
        select *, sum((until_before is null or start > until_before)::int) over (
            partition by vehicle, zone order by start, until) as run
        from begun
    )
    select vehicle, zone, min(start) as since, max(until) as until from counted group by vehicle, zone, run;
comment on view session_runs is 'Times that sessions let a vehicle stand without a gap: buying again goes on with a stay';

create or replace view cohort as
    select c.*, part_of(c.zone, c.lot, c.code, c.officer, c.device, c.issued_at) as part
    from citations c
    where c.kind = 'citation' and in_period(c.issued_at) and wanted(c.zone, 'zone') and wanted(c.lot, 'lot')
    and wanted(c.officer, 'officer') and wanted(c.device, 'device') and wanted(c.code, 'kind');
comment on view cohort is 'The citations issued in the period, warnings apart: what a KPI of citations is about';

create or replace view revenue_lines as
    select p.permit, p.permit_type, p.payment, p.paid_at, p.start, p.until, p.kept,
        case getvariable('by') when 'type' then p.permit_type when 'zone' then p.zones[1]
            when 'month' then strftime(office_time(p.paid_at), '%Y-%m')
            when 'day' then strftime(office_time(p.paid_at), '%Y-%m-%d') else 'all' end as part
    from permit_payments p
    where p.paid_at is not null and p.start is not null and p.until is not null
    and (getvariable('zone') is null or list_contains(p.zones, getvariable('zone')))
    and wanted(p.permit_type, 'permit_type');
comment on view revenue_lines is 'What was paid for permits, a line for each payment, in cents';
