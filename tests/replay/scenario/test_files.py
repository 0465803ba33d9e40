"""What is wrong with a file is said with the file, the line and the nearest known name."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replay.scenario.running import Report
from replay.scenario.story import read_scenario

STEP = "  - {id: r, at: 2026-03-05T09:00:00-05:00, fact: PlateRead, plate: ON CKTR482, zone: F}\n"
STORY = f"scenario: a case\ntimezone: America/Toronto\nstory:\n{STEP}"

type Play = Callable[[str], Report]
type Write = Callable[[str], Path]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 1, "a scenario is a mapping"),
        ("scenario: a\nstory: [\n", 3, "this is not YAML"),
        ("scenario: x\nstorry: []\n", 2, "has no key 'storry' (did you mean story?)"),
        ("scenario: x\nstory: []\n", 2, "at least one step"),
        ("scenario: x\ntimezone: America/Torono\nstory: []\n", 2, "did you mean America/Toronto?"),
        ("scenario: x\nscenario: y\n", 2, "'scenario' stands here twice"),
        (f"{STORY}{STEP}", 5, "the step id 'r' was used before, on line 4"),
        (STORY.replace("-05:00", ""), 4, "needs an offset from UTC"),
        (STORY.replace("2026-03-05T09:00:00-05:00", "soon"), 4, "not 'soon'"),
        (STORY.replace("fact: PlateRead", "fact: PlateReed"), 4, "(did you mean PlateRead?)"),
        (STORY.replace("fact: PlateRead", "do: PlateRead"), 4, "is written with fact:"),
        (STORY.replace("fact: PlateRead,", ""), 4, "either a fact or a command"),
        (STORY.replace("zone: F", "zoone: F"), 4, "has no key 'zoone' (did you mean zone?)"),
        (STORY.replace("zone: F", "zone: F, recored: x"), 4, "has no key 'recored' (did you mean recorded?)"),
        (
            f"{STORY}expect:\n  - {{verifies: {{}}, note: x, is: true}}\n",
            6,
            "one question and says is, not verifies, note",
        ),
        (STORY.replace("ON CKTR482", "CKTR482"), 4, "a plate is written REGION NUMBER"),
        (STORY.replace("plate: ON CKTR482, ", ""), 4, "PlateRead needs plate"),
        (f"{STORY}policy: {{fien: 7000}}\n", 5, "did you mean fine?"),
        (f"{STORY}expect:\n  - validty: {{}}\n    is: true\n", 6, "(did you mean validity?)"),
        (f"{STORY}expect:\n  - validity: {{plate: ON A1}}\n    is: true\n", 6, "validity needs zone"),
        (f"{STORY}expect:\n  - balance: {{citation: X, att: 1}}\n    is: 1\n", 6, "(did you mean at?)"),
        (f"{STORY}expect:\n  - exists: {{citation: X}}\n", 6, "says what the answer is"),
        (
            f"{STORY}expect:\n  - validity: {{plate: ON A1, zone: F}}\n    is: {{vallid: true}}\n",
            7,
            "(did you mean valid?)",
        ),
        (f"{STORY}expect:\n  - balance: {{citation: X, at: noon}}\n    is: 1\n", 6, "not 'noon'"),
        (
            f"{STORY}  - {{id: f, at: 2026-03-06T09:00:00Z, fact: LateFeeReversed, corrects: rr}}\n",
            5,
            "the story has no step 'rr' (did you mean r?)",
        ),
        (f"{STORY}expect:\n  - refused: {{step: q}}\n    is: null\n", 6, "the story has no step 'q'"),
        (
            f"{STORY}expect:\n  - timeline: {{plate: ON A1}}\n    is: {{excludes: [r2]}}\n",
            7,
            "the story has no step 'r2' (did you mean r?)",
        ),
        (
            f"{STORY}expect:\n  - timeline: {{plate: ON A1}}\n    is: {{entries: [{{step: r, att: x}}]}}\n",
            7,
            "an entry has no key 'att' (did you mean at?)",
        ),
        (STORY.replace("ON CKTR482", "ON \0"), 4, "the character #x0000 may not stand in it"),
        (STORY.replace("2026-03-05", "0001-01-01"), 4, "at lies between 1000-01-01 and 9999-12-31"),
        (STORY.replace("2026-03-05T09", "9999-12-31T20"), 4, "at lies between 1000-01-01 and 9999-12-31"),
        (f"{STORY}? [a, b]\n: c\n", 5, "a key is a word"),
        (
            STORY.replace("fact: PlateRead, plate: ON CKTR482", "fact: ZoneRulesSet, rules: [{dayz: [mon]}]"),
            4,
            "rules.0 has no key 'dayz' (did you mean days?)",
        ),
        (f"{STORY}policy: &p {{fine: *p}}\n", 1, "an anchor holds itself"),
    ],
)
def test_an_error_names_line_and_nearest_name(text: str, line: int, sentence: str, play: Play) -> None:
    unusable = play(text).unusable
    assert unusable is not None
    assert f"case.yaml:{line}: " in unusable
    assert sentence in unusable


def test_a_file_that_is_not_there_is_unusable(write: Write) -> None:
    with pytest.raises(Exception, match="cannot be read"):
        read_scenario(write("x").with_name("absent.yaml"))


def test_bytes_that_are_no_text_are_named_by_their_line(write: Write) -> None:
    file = write("scenario: x\n")
    file.write_bytes(b"scenario: x\nstory: \xff\n")
    with pytest.raises(Exception, match=r"case\.yaml:2: the file is not UTF-8"):
        read_scenario(file)


def test_an_alias_that_expands_without_end_is_refused(write: Write) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
    with pytest.raises(Exception, match="expands to too many values"):
        read_scenario(write(f"a0: &a0 [x, x, x]\n{levels}\n"))


def test_mappings_merged_without_end_are_refused(write: Write) -> None:
    levels = "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9))
    with pytest.raises(Exception, match="expands to too many values"):
        read_scenario(write(f"a0: &a0 {{x: 1}}\n{levels}\n"))


def test_recorded_is_a_second_after_it_occurred_unless_it_is_said(write: Write) -> None:
    (step,) = read_scenario(write(STORY)).steps
    assert step.at == datetime(2026, 3, 5, 14, tzinfo=UTC)
    assert step.recorded == datetime(2026, 3, 5, 14, 0, 1, tzinfo=UTC)


def test_steps_are_told_in_the_order_of_recorded_and_ties_in_that_of_the_file(write: Write) -> None:
    late = "  - {id: late, at: 2026-03-05T08:00:00-05:00, recorded: 2026-03-05T14:00:01Z, fact: PlateRead}\n"
    early = "  - {id: early, at: 2026-03-05T08:00:00-05:00, fact: PlateRead}\n"
    scenario = read_scenario(write(f"{STORY}{late}{early}"))
    assert [step.id for step in scenario.steps] == ["early", "r", "late"]


def test_words_that_yaml_once_took_for_truth_or_numbers_are_text(play: Play) -> None:
    text = """
scenario: NO is a region of Norway's plates in this office, and 1001 a permit
story:
  - {id: p, at: 2026-03-05T09:00:00Z, fact: PermitPurchased, permit: 1001, plates: NO 12345, zones: 7,
     valid_until: 2026-04-01T00:00:00Z}
expect:
  - validity: {plate: NO 12345, zone: 7}
    is: {valid: true, right: 1001}
"""
    assert [verdict.sentence for verdict in play(text).verdicts] == ["holds"]
