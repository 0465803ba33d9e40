from commands.incidents import (
    AmendIncident,
    CloseIncident,
    IncidentAlreadyOpened,
    IncidentLocked,
    LinkIncident,
    NoSuchIncident,
    NoteIncident,
    OpenIncident,
)
from events.security import (
    IncidentAmended,
    IncidentClosed,
    IncidentLinked,
    IncidentNoted,
    IncidentOpened,
)
from tests.commands.given_when_then import given
from tests.commands.right_stories import A, at

OPENED = IncidentOpened(at=at(0), incident="I", summary="window broken", plate=A)
CLOSED = IncidentClosed(at=at(9), incident="I")


def test_an_incident_is_opened_once() -> None:
    command = OpenIncident(at=at(0), incident="I", summary="window broken", plate=A)
    given().when(command).then(OPENED)
    given(OPENED).when(command.model_copy(update={"summary": "other"})).then(IncidentAlreadyOpened)


def test_an_open_incident_is_noted_and_linked() -> None:
    given(OPENED).when(NoteIncident(at=at(1), incident="I", summary="unit 4 on scene")).then(
        IncidentNoted(at=at(1), incident="I", summary="unit 4 on scene")
    )
    given(OPENED).when(LinkIncident(at=at(1), incident="I", links=("citation:PV-1",))).then(
        IncidentLinked(at=at(1), incident="I", links=("citation:PV-1",))
    )


def test_a_locked_report_is_amended_and_nothing_else() -> None:
    given(OPENED).when(CloseIncident(at=at(9), incident="I")).then(CLOSED)
    given(OPENED, CLOSED).when(NoteIncident(at=at(10), incident="I", summary="x")).then(IncidentLocked)
    given(OPENED, CLOSED).when(LinkIncident(at=at(10), incident="I", plate=A)).then(IncidentLocked)
    given(OPENED, CLOSED).when(AmendIncident(at=at(10), incident="I", summary="two windows")).then(
        IncidentAmended(at=at(10), incident="I", summary="two windows")
    )


def test_nothing_happens_to_an_incident_that_was_never_opened() -> None:
    given().when(NoteIncident(at=at(1), incident="I")).then(NoSuchIncident)
    given().when(CloseIncident(at=at(1), incident="I")).then(NoSuchIncident)
