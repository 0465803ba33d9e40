-- The same rows where `known` lies beyond the archive: its newest versions are in memory, and almost all of them
-- have one row and stand as they are; only things that the tail speaks of, or whose money is dated ahead, are
-- looked at more closely.

create or replace view standing_citations as
    select * exclude (holds_from, sole) from newest_citations n where sole
    and not exists (select 1 from tail_citations t where t.issued_position = n.issued_position and t."position" <= known_position())
    union all by name
    select * exclude (holds_from) from (
        select * exclude (sole) from newest_citations where not sole
        union all by name select * from tail_citations where "position" <= known_position())
    where holds_from <= instant()
    qualify row_number() over (partition by issued_position order by "position" desc, holds_from desc) = 1;

create or replace view standing_permits as
    select * exclude (holds_from, sole) from newest_permits n where sole
    and not exists (select 1 from tail_permits t where t.permit = n.permit and t."position" <= known_position())
    union all by name
    select * exclude (holds_from) from (
        select * exclude (sole) from newest_permits where not sole
        union all by name select * from tail_permits where "position" <= known_position())
    where holds_from <= instant()
    qualify rank() over (partition by permit order by "position" desc) = 1
    and row_number() over (partition by permit, payment, "position" order by holds_from desc) = 1;

create or replace view standing_sessions as
    select * exclude (sole) from newest_sessions n
    where not exists (select 1 from tail_sessions t where t.session = n.session and t."position" <= known_position())
    union all by name
    select * from tail_sessions where "position" <= known_position()
    qualify rank() over (partition by session order by "position" desc) = 1;
