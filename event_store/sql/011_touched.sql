-- Whether anything came after a position that carries one of `tags`, each of the types in `types` beside it, joined by
-- U+001F: what was found around a case stands for as long as nothing did.
create function log.touched(tags text[], types text[], after bigint) returns boolean language plpgsql stable as $$
begin
    for n in 1 .. cardinality(tags) loop
        if exists (
            select from log.tags t
            where t.tag = tags[n] and t.type = any (string_to_array(types[n], E'\x1f')) and t.position > after)
        then
            return true;
        end if;
    end loop;
    return false;
end $$;
