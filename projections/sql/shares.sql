-- Read models whose keys several projectors share: how far each share of a build has come.

create table if not exists views.shares (
    name     text    not null,
    version  integer not null,
    build    integer not null,
    share    integer not null,             -- the keys that hash to this number
    shares   integer not null,             -- of so many
    position bigint  not null,             -- all events up to here are folded into these keys
    epoch    bigint  not null default 0,   -- grows when keys are folded anew behind the projectors' backs
    primary key (name, version, build, share)
) with (fillfactor = 50);

-- Write what a batch changed and move the shares that it belongs to from `old` to `new`, or do neither.
-- A model is as far as the furthest behind of its shares; who waits for it is told when that moves.
-- `moves` is a list of {name, version, build, share, epoch}, `changes` that of views.write_batch.
create or replace function views.commit_shares(old bigint, new bigint, moves json, changes json)
returns void language plpgsql as $$
declare
    moved  integer;
    notice text;
begin
    perform views.write_batch(changes);
    update views.shares s set position = new
    from json_to_recordset(moves) as m (name text, version integer, build integer, share integer, epoch bigint)
    where (s.name, s.version, s.build, s.share, s.epoch) = (m.name, m.version, m.build, m.share, m.epoch)
        and s.position = old;
    get diagnostics moved = row_count;
    if moved <> json_array_length(moves) then
        raise exception 'a share is not at position % any more: another projector has it', old
            using errcode = 'serialization_failure';
    end if;
    -- From here on one at a time, each seeing what those before committed.
    perform from views.progress p
    where (p.name, p.version, p.build) in (
        select m.name, m.version, m.build
        from json_to_recordset(moves) as m (name text, version integer, build integer))
    order by p.name, p.version, p.build for update;
    update views.progress p set changed = greatest(p.changed, new)
    from json_to_recordset(changes) as c (name text, version integer, build integer, changed boolean)
    where (p.name, p.version, p.build) = (c.name, c.version, c.build) and c.changed;
    with reached as (
        select s.name, s.version, s.build, min(s.position) as position
        from views.shares s
        where (s.name, s.version, s.build) in (
            select m.name, m.version, m.build
            from json_to_recordset(moves) as m (name text, version integer, build integer))
        group by s.name, s.version, s.build
    ), advanced as (
        update views.progress p
        set position = r.position, stalled = null,
            recorded = (select e.recorded from log.events e where e.position = r.position)
        from reached r
        where (p.name, p.version, p.build) = (r.name, r.version, r.build) and p.position < r.position
        returning p.name, p.version, p.build, p.live, p.position
    )
    select string_agg(
        case when live then name else views.label(name, version, build) end || ':' || position, ' ' order by name)
    into notice from advanced;
    if notice is not null then
        perform pg_notify('parkledger_views', notice);
    end if;
end $$;
