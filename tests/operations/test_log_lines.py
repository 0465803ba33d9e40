"""Log lines: JSON that a program can read, with what was added and where it came from."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from operations.log_lines import ForPrograms, configure
from operations.settings import Settings


def record(**further: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "write_api", "levelname": "INFO", "msg": "took %d", "args": (3,)})
    vars(made).update(further)
    return made


@pytest.fixture
def untouched() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_a_line_says_which_service_spoke_when_and_what() -> None:
    line = json.loads(ForPrograms("projector").format(record(position=7)))
    assert (line["service"], line["level"], line["message"], line["position"]) == (
        "projector",
        "info",
        "took 3",
        7,
    )
    assert line["time"].endswith("+00:00")


def test_a_line_break_in_a_message_stays_inside_its_line() -> None:
    assert "\n" not in ForPrograms("projector").format(record(msg="one\ntwo", args=()))


def test_an_error_carries_its_traceback() -> None:
    try:
        [].pop()
    except IndexError:
        line = json.loads(ForPrograms("projector").format(record(exc_info=sys.exc_info())))
    assert "IndexError" in line["exception"]


@pytest.mark.usefixtures("untouched")
def test_lines_below_the_level_are_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_level="warning", log_format="json"), "automation")
    logging.getLogger("any").info("quiet")
    logging.getLogger("any").warning("loud")
    assert [json.loads(line)["message"] for line in capfd.readouterr().err.splitlines()] == ["loud"]


@pytest.mark.usefixtures("untouched")
def test_the_fault_that_ends_a_process_is_a_line_too(capfd: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json"), "automation")
    sys.excepthook(LookupError, LookupError("gone"), None)
    line = json.loads(capfd.readouterr().err)
    assert (line["level"], line["exception"]) == ("critical", "LookupError: gone")
