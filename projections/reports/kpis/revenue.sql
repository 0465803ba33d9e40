-- title: Permit revenue
-- formula: what was paid for permits, less refunds and returned payments
-- denominator: none, it is an amount
-- cohort: payment date
-- unit: cents
-- by: type zone month day
-- only: zone type
select part, sum(kept)::bigint as numerator, null::bigint as denominator
from revenue_lines where in_period(paid_at) group by part order by part
