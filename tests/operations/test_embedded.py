"""The embedded PostgreSQL: shared by all, gone with the last, and its data kept."""

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from operations.embedded import THROW_AWAY_OPTIONS, EmbeddedPostgres
from operations.no_postgres import NoPostgres

OWNER = """
import sys
from pathlib import Path
from operations.embedded import THROW_AWAY_OPTIONS, EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), options=THROW_AWAY_OPTIONS).start()
print(server.pid(), flush=True)
sys.stdin.read()
"""


def owner(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def server_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def eventually(holds: Callable[[], bool], within: float = 20.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "pg", options=THROW_AWAY_OPTIONS) as started:
        yield started


def test_killing_the_only_owner_ends_the_server(tmp_path: Path) -> None:
    process = owner(tmp_path / "pg")
    pid = server_pid(process)
    assert running(pid)
    end(process)
    assert eventually(lambda: not running(pid))


def test_two_starters_share_one_server_and_it_outlives_the_first(tmp_path: Path) -> None:
    first, second = owner(tmp_path / "pg"), owner(tmp_path / "pg")
    pids = {server_pid(first), server_pid(second)}
    (pid,) = pids
    end(first)
    time.sleep(0.5)
    with psycopg.connect(EmbeddedPostgres(tmp_path / "pg").dsn("postgres")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    end(second)
    assert eventually(lambda: not running(pid))


def test_a_restart_keeps_the_data(tmp_path: Path) -> None:
    for number in range(2):
        with (
            EmbeddedPostgres(tmp_path / "pg", options=THROW_AWAY_OPTIONS) as server,
            psycopg.connect(server.ensure()) as connection,
        ):
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            rows = connection.execute("SELECT n FROM kept ORDER BY n").fetchall()
    assert rows == [(0,), (1,)]


def test_a_server_that_dies_by_itself_is_started_again(server: EmbeddedPostgres) -> None:
    dsn, pid = server.ensure(), server.pid()
    os.kill(pid, signal.SIGKILL)

    def answers_again() -> bool:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            return False
        return server.pid() != pid

    assert eventually(answers_again)


def test_nobody_is_left_when_the_keeper_itself_is_killed(server: EmbeddedPostgres) -> None:
    pid = server.pid()
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    os.kill(int(stat[1]), signal.SIGKILL)
    assert eventually(lambda: not running(pid))
    server.close()
    with server, psycopg.connect(server.ensure()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_stale_pid_file_of_another_program_is_no_obstacle(tmp_path: Path) -> None:
    root = tmp_path / "pg"
    with EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS):
        pass
    (root / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{root}\n1\n5432\n\n\n\nready\n")
    with EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS) as server:
        assert server.pid() != os.getpid()


def test_a_copy_of_a_template_holds_what_the_template_holds(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.create("original")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with psycopg.connect(server.create("copy", "original")) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    server.drop("copy")


def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    root = tmp_path / ("long" * 20) / ("longer" * 10)
    with (
        EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS) as server,
        psycopg.connect(server.dsn("postgres")) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_directory_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NoPostgres, match="PARKLEDGER_DATA to another directory"):
        EmbeddedPostgres(tmp_path / "file" / "pg").start()


def test_data_of_another_release_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(NoPostgres, match="written by PostgreSQL 16"):
        EmbeddedPostgres(tmp_path).start()


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", mounted], check=False).returncode:
        pytest.skip("this machine does not let a test mount a small disk")
    try:
        with pytest.raises(NoPostgres, match="is full"):
            EmbeddedPostgres(mounted / "pg").start()
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_a_server_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(NoPostgres, match="no_such_setting"):
        EmbeddedPostgres(tmp_path / "pg", options={**THROW_AWAY_OPTIONS, "no_such_setting": "1"}).start()


def test_the_users_lock_is_free_again_after_close(tmp_path: Path) -> None:
    EmbeddedPostgres(tmp_path / "pg", options=THROW_AWAY_OPTIONS).start().close()
    with (tmp_path / "pg" / "users.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
