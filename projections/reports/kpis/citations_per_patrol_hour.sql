-- title: Citations per patrol hour
-- formula: citations issued / hours on duty
-- denominator: hours from the first to the last read of each patrol session in the period
-- cohort: issue date; hours by date of the read
-- unit: citations an hour
-- by: officer device month day
with duty as (
    select part, sum(epoch_us(last) - epoch_us(first))::bigint as on_duty
    from (
        select part, patrol, min(occurred) as first, max(occurred) as last
        from observations where patrol is not null group by part, patrol
    ) group by part
),
issued as (select part, count(*) as citations from cohort group by part)
select coalesce(i.part, d.part) as part, coalesce(i.citations, 0) as numerator,
    coalesce(d.on_duty, 0) / 3600000000.0 as denominator
from issued i full join duty d on d.part is not distinct from i.part order by part
