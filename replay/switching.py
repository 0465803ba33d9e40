"""Which build readers are answered from: the finished one, or the one before it again."""

from dataclasses import replace
from typing import Any

from psycopg import Connection

from projections import builds
from projections.connection import connect
from projections.projection import Projection
from projections.schema import following
from replay.rebuild import bring_in


def switch_to_built(dsn: str, projection: Projection) -> Projection:
    """Let readers be answered from the finished build of a read model, and return it.

    Raises:
        LookupError: if none was built.

    """
    with connect(dsn, name="parkledger switch") as connection:
        live = _live(connection, projection)
        kept = [build for build in following(connection, projection) if build.identity[1:] != live]
        if kept and not any(b.stage == "built" for b in builds.builds_of(connection, projection)):
            builds.switch(connection, kept[0])  # a later version, which a runner brought up and keeps
            return kept[0]
    return _to(dsn, projection, "built", f"there is no finished build of {projection.name}; rebuild it first")


def switch_back(dsn: str, projection: Projection) -> Projection:
    """Let readers be answered from the build before the live one, brought up to the log, and return it.

    Raises:
        LookupError: if there is none, or only of another version of this program.

    """
    none = (
        f"there is no earlier build of {projection.name} in version {projection.version} to go back to;"
        " a build of another version is brought back by the program of that version"
    )
    return _to(dsn, projection, "retired", none)


def _live(connection: Connection[Any], projection: Projection) -> tuple[int, int] | None:
    live = builds.live_build(connection, projection.name)
    return live[:2] if live else None


def _to(dsn: str, projection: Projection, stage: str, none: str) -> Projection:
    with connect(dsn, name="parkledger switch") as connection:
        numbers = [b.number for b in builds.builds_of(connection, projection) if b.stage == stage]
        if not numbers:
            raise LookupError(none)
        build = replace(projection, build=numbers[-1])
        if stage == "retired":
            builds.set_stage(connection, build, "built")
    bring_in(dsn, build)
    return build
