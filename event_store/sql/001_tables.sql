-- The log's two tables. Rows are only ever added, in the order of positions, through log.append or the bulk door.

create table log.events (
    position    bigint           primary key,
    at          timestamptz      not null,  -- when it happened in the world
    recorded    timestamptz      not null,  -- when the log accepted it; never decreases with position
    causation   bigint,
    command_id  uuid             not null,
    correlation uuid,
    version     smallint         not null,
    step        smallint         not null,  -- 1, 2, … among the events of one append
    type        text collate "C" not null,
    tags        text[] collate "C" not null,
    payload     jsonb            not null,
    actor       text             not null,
    channel     text             not null,
    fingerprint bytea,                      -- digest of the request, on its first event only
    digest      bytea            not null,  -- SHA-256 of the payload's canonical bytes
    constraint an_append_is_in_the_log_once unique (command_id, step)
) with (
    autovacuum_vacuum_insert_threshold = 200000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_analyze_threshold = 50000, autovacuum_analyze_scale_factor = 0
);

create index events_by_type on log.events (type, position);

-- One row for each tag of an event: narrow, so that a boundary of many millions of events stays a few pages.
create table log.tags (
    position bigint           not null,
    tag      text collate "C" not null,
    type     text collate "C" not null
) with (
    autovacuum_vacuum_insert_threshold = 400000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_analyze_threshold = 100000, autovacuum_analyze_scale_factor = 0
);

create index tags_by_tag on log.tags (tag, type, position);

create function log.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'The log is immutable: % on log.% is refused. Correct a fact by appending a new event.',
        tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;

create function log.refuse_direct_insert() returns trigger language plpgsql as $$
begin
    raise exception 'INSERT into log.% is refused: events enter the log through log.append only, in order.',
        tg_table_name using errcode = 'insufficient_privilege';
end $$;

create trigger refuse_change before update or delete or truncate on log.events
    for each statement execute function log.refuse_change();
create trigger refuse_change before update or delete or truncate on log.tags
    for each statement execute function log.refuse_change();
create trigger refuse_direct_insert before insert on log.events for each statement
    when (current_setting('parkledger.appending', true) is distinct from 'on') execute function log.refuse_direct_insert();
create trigger refuse_direct_insert before insert on log.tags for each statement
    when (current_setting('parkledger.appending', true) is distinct from 'on') execute function log.refuse_direct_insert();

-- A replica role would switch ordinary triggers off.
alter table log.events enable always trigger refuse_change;
alter table log.tags enable always trigger refuse_change;
alter table log.events enable always trigger refuse_direct_insert;
alter table log.tags enable always trigger refuse_direct_insert;

-- The clock that `recorded` is read from. migrations.simulate replaces it in databases made for scenarios.
create function log.clock() returns timestamptz language sql volatile as 'select clock_timestamp()';

grant usage on schema log to parkledger_app, parkledger_import;
grant select on log.events, log.tags, log.migrations to parkledger_app, parkledger_import;
grant insert on log.events, log.tags to parkledger_import;
