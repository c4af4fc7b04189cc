"""Identifiers and secrets."""

import os
import secrets
import time
import uuid
from datetime import UTC, datetime

FIRST = "00000000-0000-0000-0000-000000000000"
"""Before every id."""


def new() -> str:
    """A UUID version 7: unique, and ordered by the millisecond it was made."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_at(number: str) -> datetime:
    """When `new` made this one, to the millisecond."""
    return datetime.fromtimestamp((uuid.UUID(number).int >> 80) / 1000, UTC)


def token(nbytes: int = 32) -> str:
    """A secret for a URL or cookie, at least 128 bits (ASVS 7.x)."""
    return secrets.token_urlsafe(nbytes)


def digits(count: int) -> str:
    """A one-time code of `count` decimal digits."""
    return f"{secrets.randbelow(10**count):0{count}d}"


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
