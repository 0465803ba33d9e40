"""`demo`: everything on this machine, with a simulated town living its day in a database of its own."""

import logging
import threading
import time
from collections.abc import Iterable
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console

from operations.identity import Role
from operations.keys import mint
from operations.processes import PLAY, of
from operations.serving import database, sockets_of, supervise
from operations.settings import BadSetting, Settings
from replay.town.people import TIMEZONE

DATABASE = "demo"
"""Apart from the database of `serve` and `import`: nothing invented ever stands in an office's log."""
IN_TOWN = {Role.PARKER: "driver-000", Role.OFFICER: "officer-14"}
"""Whose links are printed; other roles are newcomers."""
PATIENCE = 60.0
"""Seconds until a service that does not answer is no longer waited for."""
_LOG = logging.getLogger(__name__)


def demo(settings: Settings, console: Console) -> None:
    """Run services and town until SIGTERM or Ctrl-C; print where to look and as whom.

    Raises:
        BadSetting: if a database or an issuer is configured: a demo is no place for either.

    """
    if settings.dsn is not None or settings.issuer is not None:
        raise BadSetting(
            "The demo invents facts and identities: it does not run on PARKLEDGER_DSN or PARKLEDGER_ISSUER. "
            "Unset them for the demo, or run `parkledger serve`."
        )
    if "timezone" not in settings.model_fields_set:
        settings = settings.model_copy(update={"timezone": TIMEZONE})
    names = [*of(settings), *PLAY]
    sockets = sockets_of(settings, names)
    console.print("Starting PostgreSQL, the write API, the read API and the projections…")
    with database(settings, DATABASE) as dsn:
        supervisor = supervise(settings, dsn, names, sockets)
        greeter = threading.Thread(target=_greet, args=(settings, console), daemon=True)
        greeter.start()
        supervisor.run()
    console.print("The town sleeps; its log is kept for the next demo.")


def _greet(settings: Settings, console: Console) -> None:
    """Wait until everything answers, then say where."""
    if not _answer([f"{settings.pages}/healthz", f"{settings.ways_in}/healthz"]):
        console.print("Something has not started within a minute; the lines above say why.")
        return
    lines = ["", "ParkLedger is up. Open one of these links to sign in as"]
    lines += [
        f"  {role:<9} {settings.pages}/sign-in?token={mint(settings, role, IN_TOWN.get(role))}"
        for role in Role
        if role is not Role.DEVICE
    ]
    lines += [
        f"The read API describes itself at {settings.pages}/openapi.json,",
        f"the write API at {settings.ways_in}/openapi.json. Ctrl-C stops it all.",
    ]
    console.print(*lines, sep="\n", soft_wrap=True, highlight=False, markup=False)


def _answer(addresses: Iterable[str]) -> bool:
    waiting = list(addresses)
    deadline = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        try:
            urlopen(waiting[0], timeout=2).close()  # noqa: S310 - our own address
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            waiting.pop(0)
    return not waiting
