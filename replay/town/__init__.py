"""A simulated university town that uses the real doors: what `parkledger demo` shows."""

from replay.town.living import run_town

__all__ = ["run_town"]
