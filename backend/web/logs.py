"""Structured logs, one JSON line each, with personal data scrubbed as the last line of defence (16.2.5).

Code does not log personal data; this processor masks what looks like an ID number, a bank card or a mobile
number all the same, so that a mistake does not end on disk.
"""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|\d{16,19}|1[3-9]\d{9})(?![0-9A-Za-z])")

_ENDS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def scrub(text: str) -> str:
    return _NUMBERS.sub(lambda m: m[0][:2] + "*" * (len(m[0]) - 2), text)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value


def _processor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _scrubbed(value) for key, value in event.items()}


class _ScrubbingFilter(logging.Filter):
    """For libraries that log through the standard module."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), ()
        if record.exc_info and record.exc_info[0]:
            record.msg += f" ({record.exc_info[0].__name__})"
            record.exc_info = None
        record.exc_text = None
        return True


def one_line(event: Any, **_: Any) -> str:
    """JSON on one line whatever somebody wrote into it: nobody can add a line of their own (16.4.1).

    JSON escapes what ends a line in ASCII; the line ends only Unicode knows are escaped here.
    """
    try:
        text = msgspec.json.encode(event, enc_hook=_named).decode()
    except UnicodeEncodeError:  # half a character, which UTF-8 cannot hold
        text = json.dumps(event, default=_named)
    return _ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _named(value: object) -> str:
    """An exception by its kind only: its words may hold what a person typed."""
    return type(value).__name__ if isinstance(value, BaseException) else scrub(str(value))


class _OneLine(logging.Formatter):
    """The same for libraries that log through the standard module."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(
            {"level": record.levelname.lower(), "logger": record.name, "event": record.getMessage()}
        )


def configure(level: str) -> None:
    """Call once at the start of every process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_ScrubbingFilter())
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "asyncio", "pgqueuer"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _processor,
            lambda _, __, event: one_line(event).encode(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
