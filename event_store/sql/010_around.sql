-- What stands around a case, in one round trip: the positions of the events of `first_types` that carry `first`, and
-- of those that their tags lead to, for `levels` levels in all. Tags are followed of the kinds in `kinds`, and of each
-- the events of the types in `types`, joined by U+001F; those in `once` are followed from the first level only.
create function log.around(
    first text, first_types text[], kinds text[], types text[], once text[], upto bigint, levels integer
) returns table ("position" bigint, level integer) language plpgsql stable as $$
declare
    asked text[] := array[first];
    frontier text[];
    seen bigint[] := '{}';
    fresh bigint[];
begin
    for depth in 0 .. levels - 1 loop
        if depth = 0 then
            fresh := array(
                select t.position from log.tags t
                where t.tag = first and t.type = any (first_types) and t.position <= upto);
        else
            fresh := array(
                select distinct x.position
                from unnest(frontier) f (tag)
                cross join lateral (
                    select string_to_array(k.names, E'\x1f') as names from unnest(kinds, types) k (kind, names)
                    where k.kind = split_part(f.tag, ':', 1) limit 1) k
                cross join lateral (
                    select t.position from log.tags t
                    where t.tag = f.tag and t.type = any (k.names) and t.position <= upto offset 0) x
                where x.position <> all (seen));
        end if;
        exit when cardinality(fresh) = 0;
        return query select n, depth from unnest(fresh) n;
        exit when depth = levels - 1;
        seen := seen || fresh;
        frontier := array(
            select distinct t.tag
            from unnest(fresh) p (position)
            cross join lateral (select e.tags from log.events e where e.position = p.position offset 0) e
            cross join lateral unnest(e.tags) t (tag)
            where split_part(t.tag, ':', 1) = any (kinds)
            and (depth = 0 or split_part(t.tag, ':', 1) <> all (once)) and t.tag <> all (asked));
        exit when cardinality(frontier) = 0;
        asked := asked || frontier;
    end loop;
end $$;
