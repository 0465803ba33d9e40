"""Both doors together: whatever they serve stands in the table of permissions, or is public on purpose."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI

import read_api.app
import write_api.app
from event_store.postgres import PostgresLog
from operations.keys import authenticator
from operations.permissions import PERMISSIONS, PUBLIC
from operations.settings import Settings
from projections.lookups import Lookups


@pytest.fixture
def doors(dsn: str, tmp_path: Path) -> Iterator[list[FastAPI]]:
    settings = Settings(dsn=dsn, data=tmp_path)
    verifier = authenticator(settings)
    with closing(PostgresLog(dsn)) as log, Lookups(dsn) as lookups:
        yield [door.create_app(log, lookups, verifier, settings) for door in (write_api.app, read_api.app)]


def described(doors: list[FastAPI]) -> list[tuple[str, str]]:
    return [
        (method.upper(), path)
        for door in doors
        for path, methods in door.openapi()["paths"].items()
        for method in methods
    ]


def test_every_route_that_is_described_is_in_the_table_or_public(doors: list[FastAPI]) -> None:
    assert set(described(doors)) <= PERMISSIONS.keys() | PUBLIC


def test_every_route_under_v1_that_is_served_is_described(doors: list[FastAPI]) -> None:
    served = {
        (method, path)
        for door in doors
        for route in door.routes
        if (path := getattr(route, "path", "")).startswith("/v1")
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    }
    assert served <= set(described(doors))


def test_no_route_is_served_by_both_doors_but_those_that_are_about_the_door(doors: list[FastAPI]) -> None:
    every = described(doors)
    assert {route for route in every if every.count(route) > 1} <= PUBLIC
