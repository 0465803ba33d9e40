-- Reading by type, asked as a range of the index of types: with a type that equals and positions in a range, the
-- planner may walk all positions of a log where few types are common, for the few events of a rare one.
create or replace function log.positions(tags text[], types text[], after bigint, upto bigint, size bigint)
returns setof bigint language plpgsql stable as $$
declare
    driver text := tags[1];
begin
    if tags is null and types is null then
        return query
            select e.position from log.events e
            where e.position > after and e.position <= upto order by e.position limit size;
    elsif tags is null then
        return query
            select f.position from unnest(types) t (type), lateral (
                select e.position from log.events e
                where (e.type, e.position) > (t.type, after) and (e.type, e.position) <= (t.type, upto)
                order by e.type, e.position limit size) f
            order by f.position limit size;
    else
        types := coalesce(types, log.types_of(driver));
        if cardinality(tags) > 1 then
            driver := log.rarest(tags, types, after);
        end if;
        return query
            select f.position from unnest(types) t (type), lateral (
                select x.position from log.tags x
                where x.tag = driver and x.type = t.type and x.position > after and x.position <= upto
                and (cardinality(tags) = 1 or (
                    select e.tags @> positions.tags from log.events e where e.position = x.position))
                order by x.position limit size) f
            order by f.position limit size;
    end if;
end $$;
