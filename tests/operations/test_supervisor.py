"""The supervisor: starts all, starts again what dies, and nothing outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

from operations.supervisor import PortTaken, Program, Supervisor, listen

WRITES_ITS_PID = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""
SERVES_ON_A_SOCKET = """
import socket, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")
server = HTTPServer(("127.0.0.1", 0), Answers, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""
SUPERVISED = """
import os, sys, time
from operations.parent import end_with_parent
end_with_parent(int(sys.argv[1]))
with open(sys.argv[2], "a") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""
SUPERVISES = """
import os, sys
from operations.supervisor import Program, Supervisor
command = [sys.executable, "-c", sys.argv[1], str(os.getpid()), sys.argv[2]]
Supervisor([Program("child", command)], 5).run()
"""


def eventually(holds: Callable[[], bool], within: float = 20.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.fixture
def run() -> Iterator[Callable[..., Supervisor]]:
    """Start a supervisor in this process; it is told to stop at the end of the test."""
    started: list[tuple[Supervisor, Thread]] = []

    def start(*programs: Program) -> Supervisor:
        supervisor = Supervisor(programs, drain_seconds=1)
        thread = Thread(target=supervisor.keep)
        thread.start()
        started.append((supervisor, thread))
        return supervisor

    yield start
    for supervisor, thread in started:
        supervisor.stop()
        thread.join()


def test_a_program_that_is_killed_is_started_again(run: Callable[..., Supervisor], tmp_path: Path) -> None:
    seen = tmp_path / "pids"
    run(Program("writer", [sys.executable, "-c", WRITES_ITS_PID, str(seen)]))
    assert eventually(lambda: len(pids(seen)) == 1)
    os.kill(pids(seen)[0], signal.SIGKILL)
    assert eventually(lambda: len(pids(seen)) == 2)
    assert alive(pids(seen)[1])


def test_stopping_ends_every_program(run: Callable[..., Supervisor], tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    supervisor = run(
        *(Program(path.name, [sys.executable, "-c", WRITES_ITS_PID, str(path)]) for path in files)
    )
    assert eventually(lambda: all(pids(path) for path in files))
    supervisor.stop()
    assert eventually(lambda: not any(alive(pids(path)[0]) for path in files))


def test_a_program_that_ignores_the_signal_is_killed_in_the_end(
    run: Callable[..., Supervisor], tmp_path: Path
) -> None:
    seen = tmp_path / "pids"
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN){WRITES_ITS_PID}"
    supervisor = run(Program("stubborn", [sys.executable, "-c", stubborn, str(seen)]))
    assert eventually(lambda: bool(pids(seen)))
    supervisor.stop()
    assert eventually(lambda: not alive(pids(seen)[0]))


def test_a_connection_made_while_a_program_starts_again_is_answered(run: Callable[..., Supervisor]) -> None:
    with listen("127.0.0.1", 0, "PARKLEDGER_READ_PORT") as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        command = [sys.executable, "-c", SERVES_ON_A_SOCKET, str(listening.fileno())]
        supervisor = run(Program("server", command, [listening]))
        assert urlopen(address, timeout=20).read() == b"here"
        os.kill(supervisor.pids()["server"][0], signal.SIGKILL)
        assert urlopen(address, timeout=20).read() == b"here"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_program_outlives_its_supervisor(how: signal.Signals, tmp_path: Path) -> None:
    seen = tmp_path / "pids"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISES, SUPERVISED, str(seen)])
    assert eventually(lambda: bool(pids(seen)))
    supervisor.send_signal(how)
    supervisor.wait(20)
    assert eventually(lambda: not alive(pids(seen)[0]))


def test_a_taken_port_is_said_in_words_with_the_setting_to_change() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match="set PARKLEDGER_READ_PORT to a free port"):
            listen("127.0.0.1", other.getsockname()[1], "PARKLEDGER_READ_PORT")


def test_an_address_that_is_not_ours_is_said_in_words() -> None:
    with pytest.raises(PortTaken, match="cannot be listened on"):
        listen("192.0.2.1", 0, "PARKLEDGER_READ_PORT")
