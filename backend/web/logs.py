"""Structured logs, one JSON line each, with personal data scrubbed as the last line of defence (16.2.5).

Code does not log personal data; this processor masks what looks like an ID number, a bank card or a mobile
number all the same, so that a mistake does not end on disk.
"""

import asyncio
import atexit
import contextlib
import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec
import structlog

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|\d{16,19}|1[3-9]\d{9})(?![0-9A-Za-z])")

_ENDS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


_SHORTEST = 11


def scrub(text: str) -> str:
    if len(text) < _SHORTEST:
        return text
    return _NUMBERS.sub(lambda m: m[0][:2] + "*" * (len(m[0]) - 2), text)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, int | float):
        return value
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


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    """As `one_line`; most lines are plain ASCII, in which JSON has escaped everything there is to escape."""
    try:
        plain = msgspec.json.encode(event, enc_hook=_named)
        if plain.isascii() and b"\x7f" not in plain:
            return plain
    except UnicodeEncodeError:
        pass
    return one_line(event).encode()


def _named(value: object) -> str:
    """An exception by its kind only: its words may hold what a person typed."""
    return type(value).__name__ if isinstance(value, BaseException) else scrub(str(value))


class _Lines:
    """Where finished lines go. Informative ones of a busy moment are written together, at most `LATE` seconds
    late: each write of its own would hand the interpreter to another thread. Everything graver leaves at once,
    with what waited before it.
    """

    LATE = 0.02

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._waiting = stream, list[bytes]()
        self._promised: asyncio.AbstractEventLoop | None = None

    def info(self, line: bytes) -> None:
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop in this thread
            self.write()
            return
        if self._promised is not loop:
            self._promised = loop
            loop.call_later(self.LATE, self.write)

    def warning(self, line: bytes) -> None:
        self._waiting.append(line)
        self.write()

    debug = info
    error = critical = fatal = exception = msg = warning

    def write(self) -> None:
        self._promised, lines, self._waiting = None, self._waiting, []
        if lines and not self._stream.closed:
            # A full disk costs log lines, never the request that wrote them.
            with contextlib.suppress(OSError):
                self._stream.write(b"".join(line + b"\n" for line in lines))
                self._stream.flush()


class _OneLine(logging.Formatter):
    """The same for libraries that log through the standard module."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(
            {"level": record.levelname.lower(), "logger": record.name, "event": record.getMessage()}
        )


_requests: _Lines | None = None


def request(request_id: str, method: str, route: str, status: int, seconds: float) -> None:
    """The one line of a request, by the short way: it is written for each, and holds nothing to be scrubbed."""
    if _requests is not None:
        line = {
            "event": "request", "level": "info", "timestamp": datetime.now(UTC).isoformat(),
            "request_id": request_id, "method": method, "route": route, "status": status,
            "ms": round(seconds * 1000, 1),
        }  # fmt: skip
        _requests.info(msgspec.json.encode(line))


def configure(level: str) -> None:
    """At the start of every process; parts with a level of their own call it again before they log anything."""
    global _requests
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_ScrubbingFilter())
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "asyncio", "pgqueuer"):
        logging.getLogger(noisy).setLevel("WARNING")
    lines = _Lines(sys.stderr.buffer)
    _requests = lines if logging.getLogger().isEnabledFor(logging.INFO) else None
    atexit.register(lines.write)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _processor,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
