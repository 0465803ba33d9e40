-- title: Plan variance
-- formula: permit revenue - planned revenue
-- denominator: none, it is an amount; needs a plan for the months of the period
-- cohort: payment date
-- unit: cents
-- by: type month
-- only: type
with earned as (select part, sum(kept)::bigint as cents from revenue_lines where in_period(paid_at) group by part),
planned as (
    select case getvariable('by') when 'type' then p.permit_type when 'month' then p.month else 'all' end as part,
        sum(p.target)::bigint as cents
    from plan p
    where p.measure = 'revenue' and wanted(p.permit_type, 'permit_type')
    and (p.permit_type is not null or getvariable('by') is distinct from 'type')
    and in_period(timezone(coalesce(getvariable('timezone'), 'UTC'), strptime(p.month, '%Y-%m')))
    group by 1
)
select p.part, coalesce(e.cents, 0) - p.cents as numerator, null::bigint as denominator,
    coalesce(e.cents, 0) as revenue, p.cents as planned
from planned p left join earned e on e.part is not distinct from p.part order by p.part
