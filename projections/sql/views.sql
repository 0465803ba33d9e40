-- What every read model stands on: how far each has come, which keys stand still, and who keeps them going.

create schema if not exists views;

create table if not exists views.progress (
    name     text    not null,
    version  integer not null,
    build    integer not null default 1,    -- counts the tables that a version was built into
    stage    text    not null default 'following', -- building, built, following (the log), or retired
    live     boolean not null,              -- readers are answered from this build
    position bigint  not null default 0,    -- all events up to here are folded
    recorded timestamptz,                   -- when the log accepted the event at `position`
    changed  bigint  not null default 0,    -- the last position by which a row of the table changed
    stalled  text,                          -- why the whole model stands still, if it does
    primary key (name, version, build)
) with (fillfactor = 50);

do $$ begin  -- `if not exists` would wait for who moves a model, who may wait for us
    if to_regclass('views.one_live_version') is null then
        create unique index one_live_version on views.progress (name) where live;
    end if;
end $$;

create table if not exists views.parked (
    name     text        not null,
    version  integer     not null,
    build    integer     not null default 1,
    key      text        not null,
    position bigint      not null,          -- the event that could not be folded
    type     text        not null,
    error    text        not null,
    since    timestamptz not null default clock_timestamp(),
    waiting  bigint      not null default 0, -- further events of this key that wait behind it
    attempts integer     not null default 1,
    retry    boolean     not null default false, -- somebody asked for it to be tried again
    primary key (name, version, build, key)
);

-- Tables of a release that knew one build of each version.
do $$ begin
    if not exists (select from pg_attribute where attrelid = 'views.progress'::regclass and attname = 'build') then
        alter table views.progress add column build integer not null default 1,
            add column stage text not null default 'following',
            drop constraint progress_pkey, add primary key (name, version, build);
        alter table views.parked add column build integer not null default 1,
            drop constraint parked_pkey, add primary key (name, version, build, key);
    end if;
end $$;

create table if not exists views.runners (
    runner   uuid        primary key,
    models   text[]      not null,
    host     text        not null,
    pid      integer     not null,
    started  timestamptz not null default clock_timestamp(),
    alive_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Rebuilds on their way, and how far each has come; whoever rebuilds proves to be alive every second.
create table if not exists views.rebuilds (
    name     text        not null,
    version  integer     not null,
    build    integer     not null,
    step     text        not null,          -- folding, writing, indexing, catching up, or comparing
    folded   bigint      not null default 0,
    upto     bigint      not null,          -- the head of the log when it began
    started  timestamptz not null default clock_timestamp(),
    alive_at timestamptz not null default clock_timestamp(),
    host     text        not null,
    pid      integer     not null,
    primary key (name, version, build)
) with (fillfactor = 50);

-- What the patrol has proved of each build: how far its present round is, and what the last whole one came to.
create table if not exists views.proofs (
    name           text        not null,
    version        integer     not null,
    build          integer     not null,
    phase          text        not null,    -- table, then each kind of key that the log is gone through for
    after          text        not null,    -- the last key that was checked
    keys           bigint      not null,
    found          bigint      not null,    -- rows that differ from what the log leads to
    position       bigint      not null,    -- of the model when it was checked
    checked_at     timestamptz not null default clock_timestamp(),
    rounds         bigint      not null default 0,
    round_at       timestamptz,
    round_keys     bigint,
    round_found    bigint,
    round_position bigint,
    primary key (name, version, build)
) with (fillfactor = 50);

create table if not exists views.drifted (
    name       text        not null,
    version    integer     not null,
    build      integer     not null,
    key        text        not null,
    known_from bigint      not null,
    part       integer     not null,
    live       jsonb,                       -- the row as it stands
    wanted     jsonb,                       -- the row as the log leads to it
    position   bigint      not null,        -- the event by which they came to differ
    type       text,
    found_at   timestamptz not null default clock_timestamp(),
    primary key (name, version, build, key, known_from, part)
);

-- What a build is called where people read it, and (after `views.`) its table.
create or replace function views.label(name text, version integer, build integer) returns text
    language sql immutable as $$ select format('%s/%s', name, version) || case when build > 1 then '.' || build else '' end $$;
create or replace function views.table_of(name text, version integer, build integer) returns text
    language sql immutable as $$ select format('%s_%s', name, version) || case when build > 1 then '_' || build else '' end $$;

-- Write what a batch changed, and move the positions of its models from `old` to `new`, or do neither.
create or replace function views.commit_batch(
    old bigint, new bigint, recorded_at timestamptz, changes json
) returns void language plpgsql as $$
begin
    perform views.write_batch(changes);
    perform views.advance(old, new, recorded_at, changes);
end $$;

-- Write what a batch changed. `changes` is a list of
-- {name, version, build, changed, opened, closed, parked, waiting}, one a model.
create or replace function views.write_batch(changes json) returns void language plpgsql as $$
declare
    change  json;
    model   text;
    edition integer;
    number  integer;
    target  text;
    moved   integer;
begin
    for change in select * from json_array_elements(changes) loop
        model := change ->> 'name';
        edition := (change ->> 'version')::integer;
        number := (change ->> 'build')::integer;
        target := views.table_of(model, edition, number);
        if json_array_length(change -> 'closed') > 0 then
            execute format(
                'update views.%I t set known_until = c.known_until from json_to_recordset($1) '
                'as c (key text, known_from bigint, part smallint, known_until bigint) '
                'where t.key = c.key and t.known_from = c.known_from and t.part = c.part '
                'and t.known_until = 9223372036854775807', target) using change -> 'closed';
            get diagnostics moved = row_count;
            if moved <> json_array_length(change -> 'closed') then
                raise exception 'a row of views.% that is to be closed does not stand open', target
                    using errcode = 'serialization_failure';
            end if;
        end if;
        if json_array_length(change -> 'opened') > 0 then
            execute format(
                'insert into views.%I select * from json_populate_recordset(null::views.%I, $1)',
                target, target) using change -> 'opened';
        end if;
        if json_array_length(change -> 'parked') > 0 then
            insert into views.parked (name, version, build, key, position, type, error)
            select model, edition, number, p.key, p.position, p.wire_name, p.error
            from json_to_recordset(change -> 'parked')
                as p (key text, position bigint, wire_name text, error text)
            on conflict (name, version, build, key) do nothing;
        end if;
        if change ->> 'waiting' <> '{}' then
            update views.parked p set waiting = waiting + w.value::bigint
            from json_each_text(change -> 'waiting') w
            where p.name = model and p.version = edition and p.build = number and p.key = w.key;
        end if;
    end loop;
end $$;

-- Move positions and tell who waits for them: one notice a batch, `name:position` for each model.
create or replace function views.advance(
    old bigint, new bigint, recorded_at timestamptz, changes json
) returns void language plpgsql as $$
declare
    moved  integer;
    notice text;
begin
    with travelling as (
        select * from json_to_recordset(changes) as c (name text, version integer, build integer, changed boolean)
    ), advanced as (
        update views.progress p
        set position = new, recorded = recorded_at, stalled = null,
            changed = case when t.changed then new else p.changed end
        from travelling t
        where p.name = t.name and p.version = t.version and p.build = t.build and p.position = old
            and p.stage <> 'retired'
        returning p.name, p.version, p.build, p.live
    )
    select count(*), string_agg(
        case when live then name else views.label(name, version, build) end || ':' || new, ' ' order by name)
    into moved, notice from advanced;
    if moved <> json_array_length(changes) then
        raise exception 'a read model is not at position % any more: somebody else moved it, or it was retired', old
            using errcode = 'serialization_failure';
    end if;
    perform pg_notify('parkledger_views', notice);
end $$;

-- Let readers be answered from another build, in one statement; whoever was live or followed before is retired.
-- Whoever asks a read model waits at most for this function, and finds the one build or the other, whole.
create or replace function views.switch(model text, edition integer, number integer) returns void
language plpgsql as $$
declare
    old views.progress;
    new views.progress;
begin
    perform from views.progress where name = model order by version, build for update;
    select * into old from views.progress where name = model and live;
    select * into new from views.progress where (name, version, build) = (model, edition, number);
    if new is null or new.stage not in ('built', 'following') then
        raise exception 'there is no finished build % to switch to', views.label(model, edition, number)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    if new.position < old.position then
        raise exception 'build % is at position %, and readers are at % already',
            views.label(model, edition, number), new.position, old.position using errcode = 'serialization_failure';
    end if;
    update views.progress set live = false, stage = 'retired' where name = model and stage = 'following';
    update views.progress set live = true, stage = 'following'
        where (name, version, build) = (model, edition, number);
    execute format('drop view if exists views.%I', model);
    execute format('create view views.%I as select * from views.%I', model, views.table_of(model, edition, number));
    perform pg_notify('parkledger_views', format('%s:%s', model, new.position));
    perform pg_notify('parkledger_log', '');
end $$;
