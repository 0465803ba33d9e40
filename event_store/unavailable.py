"""The one failure of a log that its callers have to expect."""


class LogUnavailable(ConnectionError):
    """The log's database cannot be reached; what was sent is not acknowledged. Send it again."""
