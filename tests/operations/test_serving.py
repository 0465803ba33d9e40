"""Programs that use a database say in a sentence that it went away."""

import psycopg
import pytest

from operations.serving import database
from operations.settings import BadSetting, Settings


def test_a_database_that_goes_away_is_said_in_one_sentence(dsn: str) -> None:
    with (
        pytest.raises(BadSetting, match=r"The database cannot be used \(terminating connection"),
        database(Settings(dsn=dsn)) as used,
        psycopg.connect(used, autocommit=True) as connection,
    ):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
