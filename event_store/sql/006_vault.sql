-- Keys of sealed personal data, outside the log: destroying one destroys what it sealed, in every copy of the log.
-- A dump of the log leaves them out (pg_dump --exclude-table-data=vault.keys) and keeps them where it can forget too.

create schema vault;

create table vault.keys (
    bucket    text collate "C" primary key,  -- a local date, as text
    key       bytea,                         -- 32 bytes for AES-256-GCM; null once destroyed
    made      timestamptz not null default clock_timestamp(),
    destroyed timestamptz,
    constraint a_destroyed_key_is_gone check ((key is null) = (destroyed is not null))
);

-- What tags of personal values are hashed with: never changed, or the log could not be queried by them.
create table vault.secret (
    only_one boolean primary key default true check (only_one),
    value    bytea not null
);
insert into vault.secret (value)
    values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

create function vault.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'The secret of the tags never changes.' using errcode = 'insufficient_privilege';
end $$;
create trigger refuse_change before update or delete or truncate on vault.secret
    for each statement execute function vault.refuse_change();

grant usage on schema vault to parkledger_app, parkledger_import;
grant select, insert, update on vault.keys to parkledger_app, parkledger_import;
grant select on vault.secret to parkledger_app, parkledger_import;
