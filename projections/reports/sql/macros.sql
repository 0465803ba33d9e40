-- What analysts and the KPIs ask: history as it was known at `known`, and as it stands at `at_instant`.
--
--   SET VARIABLE known = 1042;                                       -- a position; null for all
--   SET VARIABLE at_instant = TIMESTAMPTZ '2026-03-05 14:00:00Z';    -- null for now
--
-- Filters are null for everything: period_from, period_to, zone, lot, officer, device, kind, permit_type.
-- `all_…` are the sets as they are kept, archive and live tail together; of what a thing's `standing_…` rows are
-- made, `whole.sql` and `recent.sql` say. Each statement below follows from these.

create or replace macro known_position() as coalesce(getvariable('known')::bigint, 9223372036854775807);
create or replace macro instant() as coalesce(getvariable('at_instant')::timestamptz, now());
create or replace macro office_time(moment) as (moment::timestamptz at time zone coalesce(getvariable('timezone'), 'UTC'));
create or replace macro in_period(moment) as (
    (getvariable('period_from')::timestamptz is null or moment >= getvariable('period_from')::timestamptz)
    and (getvariable('period_to')::timestamptz is null or moment < getvariable('period_to')::timestamptz));
create or replace macro wanted(value, name) as (getvariable(name) is null or value = getvariable(name));
create or replace macro part_of(zone, lot, kind, officer, device, moment) as case getvariable('by')
    when 'zone' then zone when 'lot' then lot when 'type' then kind when 'officer' then officer
    when 'device' then device when 'month' then strftime(office_time(moment), '%Y-%m')
    when 'day' then strftime(office_time(moment), '%Y-%m-%d')
    when 'hour' then strftime(office_time(moment), '%H:00') else 'all' end;
