"""Read models whose keys are shared come out as if one program had folded them all."""

import random

import psycopg
import pytest

from event_store.codec import Codec
from event_store.log import Log
from event_store.postgres import PostgresLog
from events.privacy import RetentionKeyDestroyed
from events.vocabulary import REDACTED
from projections.connection import connect
from projections.drifting import check, keys_of_table
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.routing import Routing
from projections.shares import OtherShares, Share, ShareConvoy, found, level
from projections.sightings import SIGHTINGS
from projections.table import Row
from tests.projections.conftest import Models
from tests.projections.facts import (
    adopted,
    bought,
    bounced,
    cited,
    minute,
    opened,
    paid,
    read,
    revoked,
    told,
    watched,
)
from tests.projections.test_runner import position, tell_a_bit_of_everything

SHARES = 3
SIGHTED = 4 + list(SIGHTINGS.table.columns).index("plate")
PLATES = 6


def tell_at_random(log: Log, chance: random.Random, events: int) -> None:
    """Tell of permits, payments and citations that share plates, reads and payments with one another."""
    for number in range(events):
        n, near = chance.randrange(8), chance.randrange(8)
        plate = f"ON A{chance.randrange(PLATES)}"
        payment = f"P-{chance.randrange(8)}"
        told(
            log,
            chance.choice(
                [
                    lambda n=n, plate=plate, payment=payment: bought(f"T-{n}", [plate], payment=payment),
                    lambda n=n, plate=plate: bought(f"T-{n}", [plate, f"ON B{n}"]),
                    lambda n=n, payment=payment: paid(payment, permit=f"T-{n}"),
                    lambda payment=payment, near=near: paid(payment, citation=f"C-{near}"),
                    lambda payment=payment: bounced(payment),
                    lambda n=n: revoked(f"T-{n}", 30),
                    lambda n=n, near=near, plate=plate: cited(f"C-{n}", plate, basis=[f"r{near}"]),
                    lambda n=n, plate=plate: read(f"r{n}", plate),
                    lambda n=n, plate=plate: watched(f"w{n}", plate),
                    lambda n=n: opened(f"Z{n}"),
                    lambda number=number: adopted(f"p-{number}", grace_minutes=5),
                ]
            )(),
        )


def shares_of(
    connection: psycopg.Connection[tuple[object, ...]], models: tuple[Projection, ...]
) -> list[Share]:
    return [s for m in models for s in found(connection, m, SHARES, range(SHARES), Codec.over(connection))]


def go(dsn: str, chance: random.Random, head: int, models: tuple[Projection, ...] = PROJECTIONS) -> None:
    """Move shares by pages of any size, each at its own pace, some of them anew with nothing in memory."""
    with connect(dsn) as connection:
        convoy = ShareConvoy(connection, 4_000)
        routings = {model.name: Routing(model, SHARES) for model in models}
        at = 0
        shares = shares_of(connection, models)
        while at < head:
            upto = min(head, at + chance.randrange(1, 9))
            parts = {m.name: routings[m.name].read(connection, at, upto) for m in models}
            chance.shuffle(shares)
            for share in shares:
                if share.position == at and chance.random() < 0.8:
                    share.wanted = frozenset(parts[share.projection.name][share.share])
                    assert convoy.take([share], upto) == ()
                elif chance.random() < 0.3:
                    assert convoy.bring(share, upto) == ()
            if chance.random() < 0.2:
                shares = shares_of(connection, models)
            at = upto
        for share in shares:
            assert convoy.bring(share, head) == ()


def rows(models: Models) -> dict[str, list[Row]]:
    return {model.name: models.rows(model) for model in PROJECTIONS}


def start_again(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        for model in PROJECTIONS:
            connection.execute(f"TRUNCATE views.{model.table_name}".encode())
        connection.execute("TRUNCATE views.shares")
        connection.execute("UPDATE views.progress SET position = 0")


@pytest.mark.parametrize("seed", range(4))
def test_shares_come_out_as_one_fold_does(models: Models, log: Log, dsn: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - any will do
    tell_at_random(log, chance, 120)
    tell_a_bit_of_everything(log, 1)
    head = models.catch_up()
    alone = rows(models)
    start_again(dsn)
    go(dsn, chance, head)
    shared = rows(models)
    assert {name: shared[name] for name in shared if shared[name] != alone[name]} == {}
    assert all(position(dsn, model.name) == head for model in PROJECTIONS)


def test_a_model_is_as_far_as_the_furthest_behind_of_its_shares(models: Models, log: Log, dsn: str) -> None:
    del models
    for number in range(3):
        tell_a_bit_of_everything(log, number)
    model = PROJECTIONS[0]
    with connect(dsn) as connection:
        convoy = ShareConvoy(connection, 4_000)
        first, second, third = shares_of(connection, (model,))
        convoy.bring(first, 5)
        convoy.bring(second, 9)
        assert position(dsn, model.name) == 0
        convoy.bring(third, 7)
        assert position(dsn, model.name) == 5
        keys = keys_of_table(connection, model, "", 100)
        assert list(check(connection, model, keys).drifted) == []


def test_each_share_redacts_what_it_owns(models: Models, log: PostgresLog, dsn: str) -> None:
    for number in range(9):
        told(log, read(f"r{number}", f"ON A{number}"))
    bucket = "2026-03-05"
    with connect(dsn) as connection:
        convoy = ShareConvoy(connection, 4_000)
        shares = shares_of(connection, (SIGHTINGS,))
        convoy.bring(shares[0], 9)
        told(log, RetentionKeyDestroyed(at=minute(0), bucket=bucket))
        log.codec.destroy(bucket)
        for share in shares:
            convoy.bring(share, 10)
    plates = [row[SIGHTED] for row in models.rows(SIGHTINGS)]
    assert plates == [REDACTED] * 9
    assert models.drift((SIGHTINGS,)) == []


def test_of_two_that_believe_to_have_a_share_one_commits(log: Log, dsn: str, models: Models) -> None:
    del models
    told(log, bought("T-1"))
    with connect(dsn) as connection:
        mine = shares_of(connection, PROJECTIONS[:1])
        theirs = shares_of(connection, PROJECTIONS[:1])
        convoy = ShareConvoy(connection, 4_000)
        convoy.bring(mine[0], 1)
        with pytest.raises(psycopg.errors.SerializationFailure, match="another projector has it"):
            convoy.bring(theirs[0], 1)


def test_whoever_has_a_model_alone_again_levels_its_shares(models: Models, log: Log, dsn: str) -> None:
    chance = random.Random(7)  # noqa: S311 - any will do
    tell_at_random(log, chance, 60)
    with connect(dsn) as connection:
        convoy = ShareConvoy(connection, 4_000)
        for share in shares_of(connection, PROJECTIONS):
            convoy.bring(share, chance.randrange(61))
        level(connection, PROJECTIONS[0])
    tell_at_random(log, chance, 20)
    assert models.catch_up() == log.head()
    assert models.drift() == []
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM views.shares").fetchone() == (0,)


def test_another_number_of_shares_is_refused(log: Log, dsn: str, models: Models) -> None:
    del log, models
    with connect(dsn) as connection:
        found(connection, PROJECTIONS[0], 3, (), Codec.over(connection))
        with pytest.raises(OtherShares, match="validity/1: 3, not 4"):
            found(connection, PROJECTIONS[0], 4, (), Codec.over(connection))
