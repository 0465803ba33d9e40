"""The command line: help with an example everywhere, and an exit status that a script can rely on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from operations import cli
from operations.cli import app
from operations.keys import authenticator
from operations.settings import Settings


def commands(of: typer.Typer, *before: str) -> Iterator[tuple[str, ...]]:
    """Yield every command of an application with the words that lead to it."""
    for command in of.registered_commands:
        yield (*before, command.name or "")
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, *before, group.name or "")


COMMANDS = sorted(commands(app))


def parkledger(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARKLEDGER_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "operations", *arguments],
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_help_lists_every_command() -> None:
    shown = parkledger("--help")
    assert shown.returncode == 0
    assert all(words[0] in shown.stdout for words in COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output


def test_help_comes_before_anything_heavy_is_imported() -> None:
    code = (
        "import sys, operations.cli;"
        "heavy = {'fastapi', 'duckdb', 'eventsourcing', 'uvicorn', 'write_api', 'projections'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (["nonsense"], {}, "No such command"),
        (["token", "king"], {}, "There is no role 'king'"),
        (["token", "officer"], {"PARKLEDGER_ISSUER": "https://id.example"}, "Tokens come from"),
        (["serve", "nonsense"], {}, "There is no service 'nonsense'"),
        (["serve", "projector", "nonsense"], {}, "There is no service 'nonsense'"),
        (["serve", "projector", "relay"], {}, "set PARKLEDGER_KAFKA_BOOTSTRAP"),
        (["serve", "sealer"], {"PARKLEDGER_SEAL_KEY": "absent/seal.pem"}, "there is no such file"),
        (["serve", "read-api"], {"PARKLEDGER_HOST": "192.0.2.1"}, "Set PARKLEDGER_HOST"),
        (["settings"], {"PARKLEDGER_DNS": "x"}, "Did you mean PARKLEDGER_DSN?"),
        (["bench", "nonsense"], {}, "There is no benchmark 'nonsense'"),
        (["demo"], {"PARKLEDGER_DSN": "host=nowhere"}, "does not run on PARKLEDGER_DSN"),
        (
            ["serve", "projector"],
            {"PARKLEDGER_DSN": "host=127.0.0.1 port=9 connect_timeout=2"},
            "parkledger: ",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_unusable_input_is_one_sentence_and_exit_status_2(
    arguments: list[str], settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    ended = parkledger(*arguments, PARKLEDGER_DATA=str(tmp_path), **settings)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_one_sentence_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = parkledger("serve", PARKLEDGER_DATA=str(tmp_path / "data"), PARKLEDGER_WRITE_PORT=port)
    assert ended.returncode == 2
    assert f"Port {port} is taken" in ended.stderr
    assert "PARKLEDGER_WRITE_PORT" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_token_is_one_that_this_installation_accepts(tmp_path: Path) -> None:
    minted = parkledger(
        "token", "parker", "--subject", "kim", "--account", "A-7", PARKLEDGER_DATA=str(tmp_path)
    )
    principal = authenticator(Settings(data=tmp_path)).verify(minted.stdout.strip())
    assert (principal.subject, principal.role, principal.account) == ("kim", "parker", "A-7")


def test_settings_are_listed_without_their_secrets(tmp_path: Path) -> None:
    secret = "password=guess-me"  # noqa: S105 - what must not be shown
    shown = parkledger("settings", PARKLEDGER_DSN=secret, PARKLEDGER_DATA=str(tmp_path))
    assert shown.returncode == 0
    assert "guess-me" not in shown.stdout
    assert all(f"PARKLEDGER_{name.upper()} = " in shown.stdout for name in Settings.model_fields)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A projector and automation under one supervisor, on an embedded PostgreSQL."""
    environment = os.environ | {"PARKLEDGER_DATA": str(tmp_path / "data"), "PARKLEDGER_LOG_FORMAT": "json"}
    command = [sys.executable, "-P", "-m", "operations", "serve", "projector", "automation"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_serve_runs_until_it_is_told_to_stop_and_leaves_nothing_behind(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert served.stderr is not None
    line = json.loads(served.stderr.readline())
    assert line["service"] == "supervisor"
    cluster = tmp_path / "data" / "postgres" / "cluster" / "postmaster.pid"
    assert cluster.exists()
    time.sleep(1)
    served.send_signal(signal.SIGTERM)
    assert served.wait(60) == 0
    assert not cluster.exists()


def test_every_command_has_a_module_of_its_own() -> None:
    modules = {path.stem.removeprefix("cli_") for path in Path(cli.__file__).parent.glob("cli_*.py")}
    assert modules == {words[0] for words in COMMANDS}
