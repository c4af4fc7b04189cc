"""Standard Webhooks: how the systems of the bank sign what they send us, and we what we send partners.

The signature is HMAC-SHA256 over `id.timestamp.body`; an old or future timestamp is refused so that a
recorded call cannot be played back (trust §2, RFC of the headers: standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from backend.core.errors import NotPermitted

TOLERANCE_SECONDS = 300
HEADERS = b"webhook-"
"""What the names of all three begin with."""
_PREFIX = "whsec_"


class BadSignature(NotPermitted):
    code = "bad_signature"
    message = "来源没有通过验证"


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the `webhook-signature` header."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    keyed = _keyed(secret).copy()
    keyed.update(signed)
    digest = keyed.digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(secret: str, message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """All three headers of a message sent at `moment`."""
    timestamp = int(moment.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id, timestamp, body),
    }


def verify(secret: str, given: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message id of a genuine, fresh message. `given` needs lower-case names.

    Raises BadSignature, always the same way, whatever was wrong.
    """
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message_id or len(timestamp) > 12 or not timestamp.isascii() or not timestamp.isdigit():
        raise BadSignature()
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE_SECONDS:
        raise BadSignature()
    expected = sign(secret, message_id, int(timestamp), body).encode()
    # Several signatures may be sent while a secret is being changed.
    candidates = given.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(expected, candidate.encode()) for candidate in candidates):
        raise BadSignature()
    return message_id


@lru_cache(maxsize=16)
def _keyed(secret: str) -> hmac.HMAC:
    """Making one costs as much as signing with it."""
    return hmac.new(_key(secret), digestmod=hashlib.sha256)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except binascii.Error as cause:
        raise ValueError("a whsec_ secret is base64 after its prefix") from cause
