"""Ways in for appeals: filed, heard, decided, taken back."""

from write_api.routes import CommandRoute, Parkers, decides, one_of

_APPEAL = "/v1/appeals/{appeal}"

ROUTES = (
    CommandRoute(
        "/v1/appeals",
        decides("FileAppeal"),
        "Appeal a citation.",
        {"citation": "PV-50001", "level": 1, "statement": "I had bought a permit four minutes before."},
        mints="appeal",
        prefix="AP-",
        own="citation",
    ),
    CommandRoute(
        f"{_APPEAL}/late-filing",
        one_of(
            "step", requested="RequestLateFiling", accepted="AcceptLateFiling", refused="RefuseLateFiling"
        ),
        "Ask for late filing, accept it or refuse it.",
        {"step": "requested", "citation": "PV-50001", "reason": "I was in hospital."},
        own="citation",
        parkers=Parkers(choices=("requested",)),
        of_appeal=True,
    ),
    CommandRoute(
        f"{_APPEAL}/hearing",
        one_of("step", scheduled="ScheduleHearing", adjourned="AdjournHearing", held="HoldHearing"),
        "Set a hearing, put it off, or note that it took place.",
        {"step": "scheduled", "hearing_at": "2026-12-20T14:00:00-05:00"},
        of_appeal=True,
    ),
    CommandRoute(
        f"{_APPEAL}/decision",
        decides("DecideAppeal"),
        "Decide an appeal and give notice.",
        {"outcome": "reduced", "amount": 1500, "reason": "first citation"},
        of_appeal=True,
    ),
    CommandRoute(
        f"{_APPEAL}/withdrawal",
        decides("WithdrawAppeal"),
        "Take an appeal back.",
        {},
        own="appeal",
        of_appeal=True,
    ),
    CommandRoute(
        f"{_APPEAL}/reinstatement",
        decides("ReinstateAppeal"),
        "Open a decided or withdrawn appeal again.",
        {},
        of_appeal=True,
    ),
)
