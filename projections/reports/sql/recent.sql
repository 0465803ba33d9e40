-- The same rows at the log's head: marked in memory, see `newest.py`.

create or replace view standing_citations as select * exclude (holds_from, sole, stands) from newest_citations where stands;
create or replace view standing_permits as select * exclude (holds_from, sole, stands) from newest_permits where stands;
create or replace view standing_sessions as select * exclude (sole, stands) from newest_sessions;
