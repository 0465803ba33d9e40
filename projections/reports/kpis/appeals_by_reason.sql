-- title: Why appeals succeed
-- formula: decided citations by the reason that the decision gives
-- denominator: citations issued in the period whose appeal was decided
-- cohort: issue date
-- unit: citations
-- by: always by outcome and reason
with said as (
    select citation, occurred, arg_max_null(reason, "position") as reason
    from few_known_events where type = 'AppealDecided' group by citation, occurred
)
select c.outcome || ': ' || coalesce(s.reason, 'no reason given') as part, count(*) as numerator,
    sum(count(*)) over ()::bigint as denominator
from cohort c left join said s on s.citation = c.citation and s.occurred = c.decided_at
where c.outcome is not null group by 1 order by numerator desc, part
