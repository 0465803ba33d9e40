-- The one way in for commands: a batch of appends, each whole or not at all, under the writer lock.
--
-- Lists within lists travel as texts joined by U+001F, which no tag and no type may hold.

-- The key of the lock that all writers of this database take; held until the batch has committed.
create function log.writer_lock() returns bigint language sql immutable parallel safe
    as 'select 8097875053446063719';

-- The tag of `tags` that the fewest events of `types` after `after` carry, as far as a bounded count can tell.
create function log.rarest(tags text[], types text[], after bigint) returns text language plpgsql stable as $$
begin
    return (select t from unnest(tags) t order by (
        select count(*) from (
            select from log.tags x
            where x.tag = t and x.type = any (types) and x.position > after limit 100))
        limit 1);
end $$;

-- The types of the events that carry a tag: one descent of the index a type.
create function log.types_of(wanted text) returns text[] language plpgsql stable as $$
declare
    found text[] := '{}';
    next text := (select x.type from log.tags x where x.tag = wanted order by x.type limit 1);
begin
    while next is not null loop
        found := found || next;
        next := (select x.type from log.tags x where x.tag = wanted and x.type > next order by x.type limit 1);
    end loop;
    return found;
end $$;

-- Whether an event after `after` is of one of `types` and carries all of `tags`; null stands for any.
-- Several tags are driven by the rarest: driven by a hot one, a single check could read millions of entries.
create function log.holds(tags text[], types text[], after bigint) returns boolean language plpgsql stable as $$
declare
    driver text := tags[1];
begin
    if tags is null then
        return exists (
            select from log.events e where e.type = any (types) and e.position > after)
            or types is null and exists (select from log.events e where e.position > after);
    end if;
    types := coalesce(types, log.types_of(driver));
    if cardinality(tags) = 1 then
        return exists (
            select from log.tags x where x.tag = driver and x.type = any (types) and x.position > after);
    end if;
    driver := log.rarest(tags, types, after);
    return exists (
        select from log.tags x
        where x.tag = driver and x.type = any (types) and x.position > after
        and (select e.tags @> holds.tags from log.events e where e.position = x.position));
end $$;

-- Appends a batch. Arrays beginning with `append_` hold one element an append, `check_` one a criterion of
-- its boundary, `event_` one an event; `check_append` and `event_append` tell whose it is, counted from 1.
-- `expected` is the head that the caller has settled further conditions up to; if it is another by now, all
-- that is returned is the head, and nothing is done. -1 expects nothing.
-- Returns the head before the batch, the instant of the batch, and which appends were not taken: `known`,
-- for their command id is in the log, and `moved`, for an event after `check_after` lies in their boundary.
create function log.append(
    expected bigint,
    append_command uuid[],
    check_append integer[], check_after bigint[], check_tags text[], check_types text[],
    event_append integer[], event_step smallint[], event_type text[], event_version smallint[],
    event_at timestamptz[], event_tags text[], event_payload jsonb[], event_digest bytea[],
    event_actor text[], event_channel text[], event_correlation uuid[], event_causation bigint[],
    event_fingerprint bytea[],
    out head bigint, out instant timestamptz, out known integer[], out moved integer[]
) language plpgsql security definer
    set search_path = pg_catalog, log, pg_temp
    set parkledger.appending = 'on'
as $$
declare
    open integer[];
    which integer;
    last bigint;
begin
    perform pg_advisory_xact_lock(log.writer_lock());
    -- A statement of its own, so that its snapshot is younger than the lock and sees every earlier batch.
    select e.position, e.recorded into head, instant from log.events e order by e.position desc limit 1;
    head := coalesce(head, 0);
    if expected >= 0 and head <> expected then
        instant := null;
        return;
    end if;
    -- Read under the lock, else it could run backwards from one position to the next.
    instant := greatest(instant, log.clock());

    select array_agg(a.n::integer) into known
    from unnest(append_command) with ordinality a (command, n)
    where (select true from log.events e where e.command_id = a.command and e.step = 1);

    -- A criterion holds nothing new if one of its tags does not; that settles almost all of them in one plan
    -- that is quickly set up. What is left is looked into one by one.
    if cardinality(check_append) > 0 then
        select array_agg(c.n::integer) into open
        from unnest(check_after, check_tags, check_types) with ordinality c (after, tags, types, n)
        where c.after < append.head and (c.tags is null or c.types is null or not exists (
            select from unnest(string_to_array(c.tags, E'\x1f')) t (tag)
            where not exists (
                select from log.tags x
                where x.tag = t.tag and x.type = any (string_to_array(c.types, E'\x1f'))
                and x.position > c.after)));
    end if;
    if open is not null then
        foreach which in array open loop
            if (moved is null or check_append[which] <> all (moved)) and log.holds(
                string_to_array(check_tags[which], E'\x1f'), string_to_array(check_types[which], E'\x1f'), check_after[which])
            then
                moved := moved || check_append[which];
            end if;
        end loop;
    end if;

    with inserted as (
        insert into log.events (
            position, at, recorded, causation, command_id, correlation, version, step, type, tags, payload,
            actor, channel, fingerprint, digest)
        select
            append.head + row_number() over (order by n), e.at, append.instant, e.causation,
            append_command[e.append], e.correlation, e.version, e.step, e.type,
            string_to_array(e.tags, E'\x1f'), e.payload, e.actor, e.channel, e.fingerprint, e.digest
        from unnest(
            event_append, event_step, event_type, event_version, event_at, event_tags, event_payload,
            event_digest, event_actor, event_channel, event_correlation, event_causation, event_fingerprint
        ) with ordinality e (
            append, step, type, version, at, tags, payload, digest, actor, channel, correlation, causation,
            fingerprint, n)
        where (known is null or e.append <> all (known)) and (moved is null or e.append <> all (moved))
        returning events.position, events.type, events.tags
    ), tagged as (
        insert into log.tags (tag, type, position)
        select t.tag, i.type, i.position from inserted i, unnest(i.tags) t (tag)
    )
    select max(i.position) into last from inserted i;

    if last is not null then
        perform pg_notify('parkledger_log', last::text);
    end if;
end $$;

revoke all on function log.append from public;
grant execute on function log.append to parkledger_app;
