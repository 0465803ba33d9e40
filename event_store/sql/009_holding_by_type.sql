-- Conditions on types alone, asked as a range of the index of types, for the reason that migration 8 gives: whoever
-- decides by what was hardly ever said (policies) would walk all of a long log at each append otherwise.
create or replace function log.holds(tags text[], types text[], after bigint) returns boolean
language plpgsql stable as $$
declare
    driver text := tags[1];
begin
    if tags is null then
        return types is null and exists (select from log.events e where e.position > after)
            or exists (
                select from unnest(types) t (type), lateral (
                    select from log.events e
                    where (e.type, e.position) > (t.type, after)
                    and (e.type, e.position) <= (t.type, 9223372036854775807)
                    order by e.type, e.position limit 1) found);
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
