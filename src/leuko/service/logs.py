"""The log of the service: lines for people, or JSON for machines; no traceback, and no words of an exception.

What an exception says may quote a row or a message. The log tells the kind of fault and where in leuko it arose.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from leuko.errors import place_of

Form = Literal["text", "json"]
_OWN: Final = "leuko"
# What these libraries log may hold addresses and queries of people: only that something went wrong is let through.
_QUIET: Final = ("alembic", "httpx", "httpcore", "sqlalchemy", "uvicorn", "asyncio", "multipart", "python_multipart")


class _Plain(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {_words(record)}"


class _Json(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what was given as `extra={"fields": {…}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.casefold(), "logger": record.name}
        return json.dumps({**line, "message": _words(record), **getattr(record, "fields", {})}, ensure_ascii=False)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def set_up(form: Form = "text") -> None:
    """Send the log to stderr in this form, from here on."""
    handler = _Stderr()
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(form: Form) -> logging.Formatter:
    """The formatter of a form."""
    return _Json() if form == "json" else _Plain()


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _words(record: logging.LogRecord) -> str:
    """The message; of an exception its kind and place. Libraries' errors are told by their fixed words only."""
    own = record.name.partition(".")[0] == _OWN
    # the arguments of a library's message may be anything that came over the wire
    text = record.getMessage() if own else str(record.msg)
    error = record.exc_info[1] if record.exc_info else None
    return (text.splitlines() or [""])[0][:500] + (
        f" ({type(error).__name__}{place_of(error)})" if error is not None else ""
    )
