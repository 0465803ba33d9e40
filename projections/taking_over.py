"""A release that raised a model's version takes its readers over, as soon as nobody keeps the older one.

While a projector of the older release runs, its version goes on and readers keep to it. When it is gone that
version would stand still for ever, and readers of this release may ask for columns that it never had.
"""

import logging
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import Connection

from projections.builds import live_build, switch
from projections.locking import lock, unlock
from projections.projection import Projection, label

_LOG = logging.getLogger(__name__)


def take_over(connection: Connection[Any], build: Projection) -> bool:
    """Let readers be answered from a build of a later version that nobody keeps the older one beside.

    Returns whether they were let over: not while the build is behind, or somebody has the older one.
    """
    live = live_build(connection, build.name)
    if live is None or live[0] >= build.version:
        return False
    older = replace(build, version=live[0], build=live[1])
    if not lock(connection, older):
        return False
    try:
        switch(connection, build)
    except psycopg.errors.SerializationFailure:
        return False  # not there yet
    finally:
        unlock(connection, older)
    _LOG.info("readers are answered from %s now, and from %s no longer", build.label, label(*older.identity))
    return True
