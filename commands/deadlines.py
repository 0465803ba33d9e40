"""The deadlines of a citation: discount, first appeal, second level, late fee.

A last day runs through 24:00 local time, so each deadline is the exclusive instant after it; the late fee
falls at 00:00 of its own day. Holds stop the discount and late-fee clocks; appeal periods run on. An appeal
that was filed inside the discount window and rejected has the discount offered again (DOMAIN §4).
"""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from commands.calendar import deadline, end_of_day, local_date, start_of_day
from commands.clocks import Hold, counted_day
from commands.docket import CitationLedger
from commands.holds import Appeal, by_filing, holds, holds_from


class Deadlines(msgspec.Struct, frozen=True):
    """The exclusive instants in UTC; `None` where a clock stands still or has nothing to count from."""

    discount: datetime | None
    first_appeal: datetime | None
    second_level: datetime | None
    late_fee: datetime | None


NO_DEADLINES = Deadlines(None, None, None, None)


def day_0(state: CitationLedger) -> date | None:
    """Return the local date that days are counted from: of the first service, else of issue."""
    start = state.services[0][0] if state.services else state.issued_at
    return local_date(start, state.zone_time) if start is not None else None


def first_appeal_deadline(state: CitationLedger) -> datetime | None:
    """Return when the period for the first appeal ends."""
    zero = day_0(state)
    return deadline(zero, state.policy.first_appeal_days, state.zone_time) if zero else None


def second_level_deadline(state: CitationLedger) -> datetime | None:
    """Return when the period for the second level ends, counted from the first level's decision notice."""
    notices = [a.decision.at for a in state.appeals.values() if a.level == 1 and a.decision is not None]
    if not notices:
        return None
    notice = local_date(max(notices), state.zone_time)
    return deadline(notice, state.policy.second_level_days, state.zone_time)


def in_time(state: CitationLedger, appeal: Appeal) -> bool:
    """Tell whether the appeal was filed before the deadline of its level."""
    filed = appeal.first("filed")
    end = first_appeal_deadline(state) if appeal.level == 1 else second_level_deadline(state)
    return filed is not None and end is not None and filed.at < end


def citation_holds(state: CitationLedger) -> tuple[Hold, ...]:
    """Return the dates that appeals hold, in order."""
    found = (h for a in state.appeals.values() for h in holds(a, state.zone_time, in_time=in_time(state, a)))
    return tuple(sorted(found, key=lambda h: h.first))


def deadlines(state: CitationLedger) -> Deadlines:
    """Return the four deadlines on what the docket knows."""
    zero = day_0(state)
    if zero is None:
        return NO_DEADLINES
    late = counted_day(zero, state.policy.late_fee_day, citation_holds(state))
    return Deadlines(
        discount=_discount(state, zero),
        first_appeal=first_appeal_deadline(state),
        second_level=second_level_deadline(state),
        late_fee=start_of_day(late, state.zone_time) if late else None,
    )


def _discount(state: CitationLedger, zero: date) -> datetime | None:
    """Count the window through each appeal in turn; a rejection inside it offers the discount anew."""
    base, days = zero, state.policy.discount_days
    held: list[Hold] = []
    end = _end(state, base, days, held)
    for appeal in by_filing(state.appeals.values()):
        timely = in_time(state, appeal)
        start = holds_from(appeal, in_time=timely)
        if start is None:
            continue
        inside = end is None or start < end
        held.extend(holds(appeal, state.zone_time, in_time=timely))
        rejected = appeal.decision
        if inside and rejected is not None and rejected.outcome == "upheld":
            base, days = local_date(rejected.at, state.zone_time), state.policy.discount_reoffer_days
        end = _end(state, base, days, held)
    return end


def _end(state: CitationLedger, base: date, days: int, held: list[Hold]) -> datetime | None:
    last = counted_day(base, days, held)
    return end_of_day(last, state.zone_time) if last else None


def deadlines_by_name(state: CitationLedger) -> Mapping[str, datetime | None]:
    """Return the deadlines by the names that questions use."""
    return msgspec.structs.asdict(deadlines(state))
