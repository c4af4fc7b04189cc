"""The ES256 token: made here, read back here when the mobile bank redeems it.

joserfc's `decode` checks the signature only; claims are validated separately (trust §2, V). The algorithm is
pinned, the key is our own public key whatever the header says, so `none`, HS256 and `jku` get nowhere.
"""

import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from backend.core import ids
from backend.domains.handoff.model import (
    AUDIENCE,
    TOKEN_LIFE,
    TOKEN_TYPE,
    Claims,
    TokenExpired,
    TokenUnknown,
)
from backend.settings import Settings

_LONGEST = 2048
_ALGORITHM = "ES256"


def key(settings: Settings) -> ECKey:
    """The signing key: from the setting, or made once in the data directory, readable by us only."""
    return _key(settings.handoff_signing_key, settings.data / "keys" / "handoff.pem")


@lru_cache(maxsize=8)
def _key(pem: str, path: Path) -> ECKey:
    if pem:
        return ECKey.import_key(pem)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = path.with_suffix(f".{ids.new()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(ECKey.generate_key("P-256").as_pem(private=True))
        try:
            os.link(made, path)  # two processes at once: the first one's key is everybody's
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return ECKey.import_key(path.read_bytes())


def sign(settings: Settings, claims: Claims, issued_at: datetime) -> str:
    """A token for 120 seconds."""
    issued = int(issued_at.timestamp())
    payload = {
        "iss": settings.public_base,
        "aud": AUDIENCE,
        "sub": claims.customer_hash,
        "jti": claims.ticket_id,
        "iat": issued,
        "exp": issued + int(TOKEN_LIFE.total_seconds()),
        "ins": claims.institution_id,
        "app": claims.application_id,
    }
    header = {"alg": _ALGORITHM, "typ": TOKEN_TYPE}
    return jwt.encode(header, payload, key(settings), algorithms=[_ALGORITHM])


def read(settings: Settings, token: str, now: datetime) -> Claims:
    """The claims of a genuine token. Raises `TokenUnknown`, or `TokenExpired` for one that was genuine once."""
    if len(token) > _LONGEST:
        raise TokenUnknown()
    try:
        decoded = jwt.decode(token, key(settings), algorithms=[_ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError) as cause:
        raise TokenUnknown() from cause
    said = decoded.claims
    texts = [said.get(name) for name in ("jti", "ins", "app", "sub")]
    if (
        decoded.header.get("typ") != TOKEN_TYPE
        or said.get("iss") != settings.public_base
        or said.get("aud") != AUDIENCE
        or not all(isinstance(text, str) and text for text in texts)
        or not ids.is_uuid(str(said["jti"]))
    ):
        raise TokenUnknown()
    issued, expires, moment = said.get("iat"), said.get("exp"), now.timestamp()
    if type(issued) is not int or type(expires) is not int or expires - issued > TOKEN_LIFE.total_seconds():
        raise TokenUnknown()
    if issued > moment + 5:
        raise TokenUnknown()
    if moment >= expires:
        raise TokenExpired()
    return Claims(str(said["jti"]), str(said["ins"]), str(said["app"]), str(said["sub"]))
