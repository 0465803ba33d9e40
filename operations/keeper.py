"""Keep one PostgreSQL server running for as long as anyone uses it, and not a second longer.

Started by `operations.embedded` as a script of its own, with nothing but the standard library, so that it
is up in a few hundredths of a second and outlives whoever started it. Everyone who uses the server holds a
shared lock on `users.lock`; the kernel takes that lock back when its holder ends, SIGKILL included. The
keeper waits for the exclusive lock: once it has it nobody is left, and it shuts the server down. A server
that dies by itself is started again. The keeper's own lock on `server.lock` says that it is alive.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
FAST_SHUTDOWN = signal.SIGINT
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
PATIENCE = 20.0
"""Seconds that a fast shutdown may take before the server is told to stop at once."""
LONGEST_PAUSE = 5.0
"""Seconds between two starts of a server that keeps failing, for example until there is room on the disk."""
LOG_LIMIT = 20_000_000
"""Bytes after which the server's log is begun anew at the next start."""


def become_nobody() -> None:
    """Enter a user namespace in which root is nobody: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("65534 0 1")
    Path("/proc/self/gid_map").write_text("65534 0 1")


def die_with_parent() -> None:
    """Ask the kernel to shut this process down when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, FAST_SHUTDOWN)


def clear_stale_pid(cluster: Path) -> None:
    """Remove the pid file of a server that is gone, and wait for one that is still shutting down.

    The file survives a power cut, and its pid may belong to another program by now; PostgreSQL would then
    refuse to start. A server of ours works inside its cluster's directory, which tells the two apart.
    """
    pid_file = cluster / "postmaster.pid"
    deadline = time.monotonic() + PATIENCE
    while pid_file.exists() and time.monotonic() < deadline:
        try:
            pid = int(pid_file.read_text().splitlines()[0])
            inside = Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.resolve()
        except (OSError, ValueError, IndexError):
            inside = False
        if not inside:
            if Path("/proc/self").exists():
                pid_file.unlink(missing_ok=True)
            return
        time.sleep(0.05)


class Keeper:
    """One server, its cluster directory and the locks around it."""

    def __init__(self, root: Path, programs: Path, options: dict[str, str], *, ephemeral: bool) -> None:
        """Take the lock that says who keeps this server; `root` holds cluster, locks, socket and log."""
        self.root, self.programs, self.options, self.ephemeral = root, programs, options, ephemeral
        self.cluster = root / "cluster"
        self.log = root / "server.log"
        self.server: subprocess.Popen[bytes] | None = None
        self.ready_once = False
        self.ready_now = False
        self.leaving = threading.Event()
        self.spawning = threading.Lock()
        self.alive = (root / "server.lock").open("w")
        fcntl.flock(self.alive, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def make_cluster(self) -> None:
        """Create the database cluster, whole or not at all."""
        if (self.cluster / "PG_VERSION").exists():
            return
        fresh = self.root / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        command = [
            str(self.programs / "initdb"),
            f"--pgdata={fresh}",
            "--username=parkledger",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(["--no-sync"] if self.ephemeral else []),
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if made.returncode:
            raise SystemExit(made.stderr + made.stdout)
        fresh.rename(self.cluster)

    def spawn(self) -> None:
        """Start the server, unless everyone has left meanwhile."""
        with self.spawning:
            if self.leaving.is_set():
                return
            clear_stale_pid(self.cluster)
            self.ready_now = False
            settings = [f"--{name}={value}" for name, value in self.options.items()]
            with self.log.open("ab") as log:
                self.server = subprocess.Popen(  # noqa: S603
                    [str(self.programs / "postgres"), "-D", str(self.cluster), *settings],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent,  # noqa: PLW1509  (no other thread is running Python code then)
                )

    def leave(self, *_: object) -> None:
        """Shut the server down; its clients are cut off, its data is safe."""
        self.leaving.set()
        with self.spawning:
            if self.server is not None:
                self.server.send_signal(FAST_SHUTDOWN)

    def wait_until_unused(self) -> None:
        """Wait until no process holds the users' lock, then leave."""
        users = (self.root / "users.lock").open("w")
        fcntl.flock(users, fcntl.LOCK_EX)
        self.leave()
        self.users = users  # keep the lock: a newcomer waits until the server is down

    def stopped(self) -> bool:
        """Wait until the server has ended; tell whether it was meant to."""
        assert self.server is not None  # noqa: S101
        while self.server.poll() is None:
            if not self.leaving.wait(0.25 if self.ready_now else 0.02):
                self.ready_now = self.ready_now or self.ready()
                self.ready_once = self.ready_once or self.ready_now
                continue
            try:
                self.server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.server.send_signal(IMMEDIATE_SHUTDOWN)
                self.server.wait()
        return self.leaving.is_set()

    def ready(self) -> bool:
        """Tell whether the server accepts connections."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def keep(self) -> None:
        """Run the server until nobody uses it; start it again when it dies, for as long as somebody does.

        Raises:
            SystemExit: with the server's own words, if it could not even be started once.

        """
        self.make_cluster()
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.unlink()
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=self.leave).start())
        threading.Thread(target=self.wait_until_unused, daemon=True).start()
        failures = 0
        while not self.leaving.is_set():
            written = self.log.stat().st_size if self.log.exists() else 0
            self.spawn()
            if self.server is None or self.stopped():
                break
            if not self.ready_once:
                raise SystemExit(self.log.read_bytes()[written:].decode(errors="replace"))
            failures = 0 if self.ready_now else failures + 1
            self.leaving.wait(min(LONGEST_PAUSE, 0.1 * 2**failures))


def main() -> None:
    """Read the orders from the command line, keep the server, and tidy up after it."""
    orders = json.loads(sys.argv[1])
    root = Path(orders["root"])
    try:
        become_nobody()
    except OSError as refused:
        raise SystemExit(f"user namespaces are refused here: {refused}") from refused
    os.umask(0o077)
    keeper = Keeper(root, Path(orders["programs"]), orders["options"], ephemeral=orders["ephemeral"])
    try:
        keeper.keep()
    finally:
        if keeper.ephemeral:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
