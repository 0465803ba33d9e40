-- Reading by boundary: the positions that a criterion covers, in order, without reading more than asked for.

-- The first `size` positions after `after` and up to `upto` of the events that carry all of `tags` (null: any)
-- and are of one of `types` (null: any). Each type's entries stand in the order of positions, so only `size`
-- of each are read, however hot the tag.
create function log.positions(tags text[], types text[], after bigint, upto bigint, size bigint)
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
                where e.type = t.type and e.position > after and e.position <= upto
                order by e.position limit size) f
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

-- The newest position recorded at or before an instant, by bisection: `recorded` never decreases.
create function log.position_at(wanted timestamptz) returns bigint language plpgsql stable as $$
declare
    low bigint := 0;
    high bigint := coalesce((select max(position) from log.events), 0);
    middle bigint;
begin
    while low < high loop
        middle := (low + high + 1) / 2;
        if (select e.recorded <= wanted from log.events e where e.position = middle) then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end $$;
