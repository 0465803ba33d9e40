-- The door for history: positions are given out under the writer lock, COPY fills the tables, and closing it
-- proves that nothing was left out before anything can commit unnoticed.

create function log.open_bulk(out head bigint, out instant timestamptz) language plpgsql as $$
begin
    perform pg_advisory_xact_lock(log.writer_lock());
    select e.position, e.recorded into head, instant from log.events e order by e.position desc limit 1;
    head := coalesce(head, 0);
    instant := greatest(instant, log.clock());
    perform set_config('parkledger.appending', 'on', true);
end $$;

create function log.close_bulk(head bigint, size bigint) returns void language plpgsql as $$
begin
    perform set_config('parkledger.appending', 'off', true);
    if (select max(e.position) from log.events e) is distinct from head + size
        or (select count(*) from log.events e where e.position > head) <> size
    then
        raise exception 'A bulk append must fill the positions from % to % without a gap.', head + 1, head + size;
    end if;
    perform pg_notify('parkledger_log', (head + size)::text);
end $$;

revoke all on function log.open_bulk, log.close_bulk from public;
grant execute on function log.open_bulk, log.close_bulk to parkledger_import;
