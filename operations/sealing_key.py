"""The key that heads of the log are signed with, and the name that they are signed in."""

from event_store.signing import Signer, signing_key
from operations.settings import BadSetting, Settings


def signer(settings: Settings) -> Signer:
    """Return what signs heads of this office's log; where no file is named, its key is made at the first use.

    Raises:
        BadSetting: if the file that is named is missing, or holds no such key.

    """
    file = settings.seal_key or settings.data / "keys" / "seal.pem"
    if settings.seal_key is not None and not file.exists():
        raise BadSetting(
            f"PARKLEDGER_SEAL_KEY names {file}, and there is no such file. Correct it, or unset it: then"
            " a key is made in the data directory."
        )
    try:
        return Signer(settings.log_name, signing_key(file))
    except (ValueError, TypeError, OSError) as error:
        raise BadSetting(f"PARKLEDGER_SEAL_KEY cannot be used: {error}.") from error
