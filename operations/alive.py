"""Whether a service without a door has proved to be alive lately: what a container's health check asks.

python -m operations.alive relay      exit status 0 if one has, 1 if none has
"""

import sys
from contextlib import closing

import psycopg

from event_store.streams import programs
from operations.settings import Settings

WITHIN = 15.0
"""Seconds; a relay or projector proves itself every second, and waits up to ten for a broker."""
_RUNNERS = "SELECT extract(epoch FROM clock_timestamp() - max(alive_at))::float8 FROM views.runners"


def alive(dsn: str, service: str) -> bool:
    """Tell whether any program of the service has proved to be alive within `WITHIN` seconds."""
    with closing(psycopg.connect(dsn, autocommit=True, connect_timeout=3)) as connection:
        ages = [one.alive_seconds for one in programs(connection) if one.service == service]
        if service == "projector":
            row = connection.execute(_RUNNERS).fetchone()
            ages += [row[0]] if row and row[0] is not None else []
        return any(age < WITHIN for age in ages)


if __name__ == "__main__":
    given = Settings.from_environment().dsn
    sys.exit(0 if given and alive(given, sys.argv[1]) else 1)
