"""The key that heads of the log are signed with, and the name that they are signed in."""

from event_store.signing import Signer, signing_key
from operations.settings import BadSetting, Settings


def signer(settings: Settings) -> Signer:
    """Return what signs heads of this office's log; its key is made at the first use.

    Raises:
        BadSetting: if the file that is named holds no such key.

    """
    file = settings.seal_key or settings.data / "keys" / "seal.pem"
    try:
        return Signer(settings.log_name, signing_key(file))
    except (ValueError, TypeError, OSError) as error:
        raise BadSetting(f"PARKLEDGER_SEAL_KEY cannot be used: {error}.") from error
