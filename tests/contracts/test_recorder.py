"""The library's own published test cases, run against our log; and what they leave out."""

import json
from collections.abc import Iterator
from threading import Thread

import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.tests import DCBRecorderTestCase
from eventsourcing.persistence import IntegrityError, ProgrammingError

from event_store.recorder import Recorder, unwrap, wrap


@pytest.fixture
def recorder(dsn: str) -> Iterator[Recorder]:
    opened = Recorder(dsn)
    yield opened
    opened.close()


def test_the_librarys_cases_of_appending_and_reading_hold(recorder: Recorder) -> None:
    DCBRecorderTestCase()._test_append_read(recorder)


def test_the_librarys_cases_of_subscribing_hold(recorder: Recorder) -> None:
    DCBRecorderTestCase()._test_append_subscribe(recorder)


def test_queries_that_the_librarys_recorder_refuses_are_answered(recorder: Recorder) -> None:
    for name in ("a", "b", "c"):
        recorder.append([DCBEvent(name, b"{}", [f"tag{name}"])])
    several_types = DCBQuery([DCBQueryItem(types=["a", "b"])])
    mixed = DCBQuery([DCBQueryItem(types=["a"]), DCBQueryItem(tags=["tagc"])])
    assert [e.position for e in recorder.read(several_types)] == [1, 2]
    assert [e.position for e in recorder.read(mixed)] == [1, 3]
    with pytest.raises(IntegrityError):
        recorder.append([DCBEvent("d", b"{}")], DCBAppendCondition(several_types, after=1))
    assert recorder.append([DCBEvent("d", b"{}")], DCBAppendCondition(several_types, after=2)) == 4


def test_an_append_of_nothing_is_refused(recorder: Recorder) -> None:
    with pytest.raises(ProgrammingError):
        recorder.append([])


def test_a_subscription_returns_what_its_query_matches_and_ends_when_stopped(recorder: Recorder) -> None:
    recorder.append([DCBEvent("a", b"1", ["x"]), DCBEvent("b", b"2", ["x"]), DCBEvent("a", b"3", ["y"])])
    with recorder.subscribe(DCBQuery([DCBQueryItem(["a"], ["y"])])) as subscription:
        assert next(subscription).position == 3
        rest: list[int] = []
        waiting = Thread(target=lambda: rest.extend(e.position for e in subscription))
        waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()
    assert rest == []


@pytest.mark.parametrize(
    "data",
    [
        b"", b"data1", b"\x00\xff", b"[]", b"1", b"null", b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}',
        b'{"a":-0.0}', b'{"a":1e400}', b'{"a":1.5e-7}', b'{"a":123456789012345678901234567890}',
        b'{"a":"\\u0000"}', b'{"base64":"AAAA"}', b'{"a":{"c":null,"d":[1.0,2]}}', b'{"a":1,"a":2}',
        json.dumps({"name": "Stud\u00e9nt", "max": 10}).encode(),
    ],
)  # fmt: skip
def test_all_bytes_come_back_as_they_were(recorder: Recorder, data: bytes) -> None:
    assert unwrap(wrap(data)) == data
    recorder.append([DCBEvent("any", data)])
    assert next(recorder.read()).event.data == data
