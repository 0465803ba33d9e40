-- The rows of each thing that stand at `instant()` by what was known at `known`: the last that holds by then of
-- the newest version, read from the files of the archive and the tail. Right for every `known`.

create or replace view standing_citations as
    select * exclude (holds_from) from all_citations where "position" <= known_position() and holds_from <= instant()
    qualify row_number() over (partition by issued_position order by "position" desc, holds_from desc) = 1;

create or replace view standing_permits as
    select * exclude (holds_from) from all_permits where "position" <= known_position() and holds_from <= instant()
    qualify rank() over (partition by permit order by "position" desc) = 1
    and row_number() over (partition by permit, payment, "position" order by holds_from desc) = 1;

create or replace view standing_sessions as
    select * from all_sessions where "position" <= known_position()
    qualify rank() over (partition by session order by "position" desc) = 1;
