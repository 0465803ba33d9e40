"""Commands over HTTP: the real write API, tokens and rules and all, beside FastAPI on the library's recorder.

Both are served by uvicorn from one process, each on its own database of one PostgreSQL that syncs to disk.
The same clients send the same session starts, each with an identity of its own, to one and then the other.

The goal is held against a peer that only appends, which spares it what a command is about; the last figure
is beside a peer that reads what its decision rests on, as ours does.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Sample, at_least, emit, figure, interleaved, note
from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.keys import mint
from operations.settings import Settings

BENCH = "http"
CLIENTS = 32
GOAL = at_least(6)
ZONES = 20
PEER = "FastAPI on PostgresDCBRecorderTT"


def run(*, quick: bool = False) -> list[Figure]:
    """Measure, print a line a figure, and return them."""
    rounds, seconds = (3, 4.0) if quick else (7, 8.0)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-")))
        cluster = stack.enter_context(EmbeddedPostgres(root / "postgres"))
        settings = Settings(data=root, dsn=cluster.ensure("ours"))
        ours = stack.enter_context(served(ours_command, settings, root / "ours.log"))
        peer = stack.enter_context(
            served(peer_command, settings.with_dsn(cluster.ensure("peer")), root / "peer.log")
        )
        headers = {
            "authorization": f"Bearer {mint(settings, Role.ADMIN)}",
            "content-type": "application/json",
        }
        _open_zones(ours, headers)
        note(f"{rounds} rounds of {seconds:g} s each")
        told = _request(root / "told.json", "/v1/sessions", headers)
        decided = _request(root / "decided.json", "/v1/decided-sessions", headers)
        blind = interleaved(lambda: _told(ours, seconds, told), lambda: _told(peer, seconds, told), rounds)
        deciding = interleaved(
            lambda: _told(ours, seconds, told), lambda: _told(peer, seconds, decided), rounds
        )
    return [
        emit(figure(BENCH, "commands, 32 clients", blind, "rate", unit="1/s", other_name=PEER, goal=GOAL)),
        emit(figure(BENCH, "p50, 32 clients", blind, "p50_ms", unit="ms", other_name=PEER)),
        emit(figure(BENCH, "p99, 32 clients", blind, "p99_ms", unit="ms", other_name=PEER)),
        emit(
            figure(
                BENCH, "commands, 32 clients", deciding, "rate", unit="1/s", other_name=f"{PEER}, deciding"
            )
        ),
    ]


def _request(file: Path, path: str, headers: Mapping[str, str]) -> Path:
    """Write what the clients send to a path."""
    file.write_text(json.dumps({"path": path, "headers": dict(headers), "body": _session()}))
    return file


def ours_command(number: int, _: Settings) -> Sequence[str]:
    """Return the command that serves the write API, as the supervisor runs it."""
    return [sys.executable, "-m", "operations", "serve", "write-api", f"--socket={number}"]


def peer_command(number: int, settings: Settings) -> Sequence[str]:
    """Return the command that serves the peer."""
    return [sys.executable, "-m", "benchmarks.http_peer", str(number), str(settings.dsn)]


@contextmanager
def served(
    command: Callable[[int, Settings], Sequence[str]], settings: Settings, output: Path
) -> Iterator[int]:
    """Yield the port of a server that runs meanwhile."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening, output.open("w") as lines:
        environment = os.environ | settings.environment()
        number = listening.fileno()
        server = subprocess.Popen(
            command(number, settings), env=environment, pass_fds=[number], stdout=lines, stderr=lines
        )
        try:
            port = listening.getsockname()[1]
            _await(port, server, output)
            yield port
        finally:
            server.terminate()
            server.wait(30)


def _await(port: int, server: "subprocess.Popen[bytes]", output: Path) -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: with what it printed, if it ended instead.

    """
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(output.read_text())
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/openapi.json")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"no answer in time: {output.read_text()}")


def _open_zones(port: int, headers: Mapping[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    for number in range(ZONES):
        zone = {"zone": f"Z{number}", "timezone": "America/Toronto"}
        connection.request("POST", "/v1/zones", json.dumps(zone), dict(headers))
        answer = connection.getresponse()
        if answer.status != 201:
            raise RuntimeError(answer.read().decode())
        answer.read()


def _session() -> dict[str, Any]:
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
    return {
        "session": "S-%(client)s-%(number)s",
        "plate": "ON P%(number)s",
        "zone": "Z3",
        "until": until,
        "channel": "app",
    }


def _told(port: int, seconds: float, request: Path) -> Sample:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.telling", str(port), str(CLIENTS), str(seconds), str(request)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.stderr:
        note(done.stderr)
    done.check_returncode()
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, in a few short rounds with `--quick`."""
    run(quick="--quick" in sys.argv[1:])


if __name__ == "__main__":
    main()
