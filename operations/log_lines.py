"""What a process says while it runs: one line per occurrence, for people on a terminal, as JSON elsewhere."""

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType

from operations.settings import Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class ForPrograms(logging.Formatter):
    """One JSON object a line: time, level, service, logger, message, and what `extra=` added."""

    def __init__(self, service: str) -> None:
        """Remember which service speaks."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(settings: Settings, service: str) -> None:
    """Let this process's log lines go to standard error, as the settings say."""
    people = settings.log_format == "text" or (settings.log_format is None and sys.stderr.isatty())
    handler = logging.StreamHandler()
    if people:
        form = f"%(asctime)s {service:<10} %(levelname)-7s %(message)s"
        handler.setFormatter(logging.Formatter(form, datefmt="%H:%M:%S"))
    else:
        handler.setFormatter(ForPrograms(service))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_words
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what it does at start and end, we say ourselves


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Let a process that ends by a fault of its own say so in a log line like any other."""
    logging.getLogger(__name__).critical("ended by a fault of its own", exc_info=(kind, error, trace))
