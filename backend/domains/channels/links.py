"""One-time states and links: the silent authorisation, and the binding of a WeChat account to a person."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from backend.core import ids
from backend.core.errors import NotFound
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.statements import Q

STATE_LIFE = timedelta(minutes=10)
LINK_LIFE = timedelta(minutes=30)


class OAuthState(msgspec.Struct, frozen=True):
    """Where to go on after the authorisation, and how often it was begun again."""

    next_path: str
    tries: int


class BindLink(msgspec.Struct, frozen=True):
    institution_id: str
    id: str
    openid: str
    expires_at: datetime


class LinkGone(NotFound):
    code = "bind_link_gone"
    message = "这个确认链接用过了，或者过期了。请回到公众号再说一次“进度”，我们发一个新的"


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def new_state(tx: Tx, visit: str, next_path: str, tries: int = 0) -> str:
    """A state for WeChat: letters and digits, one use, ten minutes, for one browser."""
    state = ids.token(24).encode().hex()
    await Q.insert_state(
        tx,
        state_hash=_hash(state),
        visit_hash=_hash(visit),
        next_path=next_path,
        tries=tries,
        expires_at=tx.now + STATE_LIFE,
    )
    return state


async def use_state(tx: Tx, visit: str, state: str) -> OAuthState | None:
    """Burn a state; None when it is unknown, used, run out, or began in another browser."""
    row = await Q.use_state(tx, state_hash=_hash(state), visit_hash=_hash(visit), now=tx.now)
    return None if row is None else OAuthState(row["next_path"], row["tries"])


async def path_of_used(tx: Tx, visit: str, state: str) -> str | None:
    """Where this browser was going when it used the state; None when it never did, or long ago."""
    path = await Q.path_of_used(tx, state_hash=_hash(state), visit_hash=_hash(visit), now=tx.now)
    return None if path is None else str(path)


async def forget_states(tx: Tx) -> int:
    return int(await Q.forget_states(tx, before=tx.now - timedelta(days=1)))


async def new_link(tx: Tx, openid: str) -> str:
    """The token of a link that lets this account, and no other, prove whose it is."""
    token, link_id = ids.token(), ids.new()
    await Q.insert_link(
        tx,
        institution_id=tx.institution_id,
        id=link_id,
        token_hash=_hash(token),
        openid=openid,
        now=tx.now,
        expires_at=tx.now + LINK_LIFE,
    )
    audit.add(tx, "bind_link.new", link_id)
    return token


async def find_link(tx: Tx, token: str) -> BindLink:
    """The living link; needs a union-wide reader, since a link does not say its county. Raises `LinkGone`."""
    row = await Q.find_link(tx, token_hash=_hash(token), now=tx.now)
    if row is None:
        raise LinkGone()
    return BindLink(*row)


async def use_link(tx: Tx, link: BindLink) -> None:
    """Burn it. Raises `LinkGone` when another request was first."""
    if not await Q.use_link(tx, institution_id=tx.institution_id, id=link.id, now=tx.now):
        raise LinkGone()
