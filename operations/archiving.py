"""The archive of this installation, put together from its settings."""

from event_store.archive import Archive
from event_store.archive_hash import Hash, key_of, keyed
from event_store.archive_store import store_at
from operations.settings import BadSetting, Settings
from projections.reports.archivist import Archivist
from projections.reports.reporting import Reports


def archive_of(settings: Settings) -> Archive:
    """Return the archive that the settings name.

    Raises:
        BadSetting: if its address cannot be used.

    """
    try:
        return Archive(store_at(settings.archive, settings.data))
    except ValueError as error:
        raise BadSetting(f"PARKLEDGER_ARCHIVE cannot be used: {error}.") from error


def hash_of(settings: Settings) -> Hash:
    """Return the hash that stands for plates and accounts in the archive."""
    return keyed(key_of(settings.data, settings.archive_key))


def reports_of(dsn: str, settings: Settings) -> Reports:
    """Return reports over the archive and the log."""
    return Reports(dsn, archive_of(settings), hash_of(settings), plan=settings.plan)


def archivist(dsn: str, settings: Settings) -> Archivist:
    """Return who writes the archive of a log."""
    return Archivist(dsn, archive_of(settings), hash_of(settings))
