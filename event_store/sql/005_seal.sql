-- The seal: a Merkle tree over the log, grown from committed rows beside it, and its signed heads.

create schema seal;

-- The hashes of complete subtrees of 256 ^ level leaves, up to 256 of them in a tile, 32 bytes each. Only the
-- last tile of a level is unfinished, and only it is ever written again.
create table seal.tiles (
    level  smallint not null,
    number bigint   not null,
    hashes bytea    not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
    primary key (level, number)
);

create table seal.grown (
    one  boolean primary key default true check (one),
    size bigint  not null
);
insert into seal.grown (size) values (0);

create table seal.checkpoints (
    size   bigint      primary key,
    root   bytea       not null,
    sealed timestamptz not null default clock_timestamp(),
    note   text        not null,
    key    text        not null
);

create function seal.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'A signed head of the log is final: % on seal.% is refused.', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger refuse_change before update or delete or truncate on seal.checkpoints
    for each statement execute function seal.refuse_change();
alter table seal.checkpoints enable always trigger refuse_change;

grant usage on schema seal to parkledger_app;
grant select on seal.tiles, seal.grown, seal.checkpoints to parkledger_app;
