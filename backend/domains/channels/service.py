"""The official account's followers: which county serves whom, what was said, what may be sent.

One account serves the whole union (A4-07): a follower belongs to the county of the last code scanned or the
last binding. Who came through none belongs to the union ('0000') until then.
"""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.model import EVENT_WINDOW, MESSAGE_WINDOW, SAME_TALK, Follower, Lead, Said
from backend.domains.channels.statements import Q

_TABLE = "channels.messages"


class Scan(msgspec.Struct, frozen=True):
    """The responsible code a person came through."""

    code_id: str
    code_token: str
    officer_id: str | None
    product_code: str


class Earlier(msgspec.Struct, frozen=True):
    """Where a repeated message was answered the first time."""

    institution_id: str
    message_id: str


async def serving(tx: Tx, openid: str) -> Follower | None:
    """The county that serves an account now, or None; needs a union-wide reader."""
    row = await Q.serving(tx, openid=openid)
    return None if row is None else Follower(**dict(row))


async def follower(tx: Tx, openid: str) -> Follower | None:
    row = await Q.follower(tx, institution_id=tx.institution_id, openid=openid)
    return None if row is None else Follower(**dict(row))


async def route(tx: Tx, openid: str) -> None:
    """From now on the county of this transaction serves the account."""
    await Q.route(tx, institution_id=tx.institution_id, openid=openid, now=tx.now)


async def scanned(tx: Tx, openid: str, scan: Scan) -> None:
    """The person came through a code: route them and keep the lead."""
    await Q.attribute(
        tx,
        institution_id=tx.institution_id,
        openid=openid,
        code_id=scan.code_id,
        code_token=scan.code_token,
        officer_id=scan.officer_id,
        product_code=scan.product_code,
        now=tx.now,
    )
    await Q.insert_lead(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        openid=openid,
        code_id=scan.code_id,
        officer_id=scan.officer_id,
        product_code=scan.product_code,
        now=tx.now,
    )
    audit.add(tx, "lead.new", scan.code_id, product=scan.product_code)


async def forget_codes_of(tx: Tx, officer_id: str) -> None:
    """Nobody is led to a code of somebody who has left any more."""
    await Q.forget_codes_of(tx, institution_id=tx.institution_id, officer_id=officer_id)


async def hand_over(tx: Tx, from_officer: str, to_officer: str) -> tuple[int, int]:
    """Another officer answers for the accounts and calls of one; returns (accounts, open calls)."""
    both = {"institution_id": tx.institution_id, "from_officer": from_officer, "to_officer": to_officer}
    return await Q.hand_over_followers(tx, **both), await Q.hand_over_tickets(tx, **both)


async def heard(tx: Tx, openid: str, *, message: bool) -> None:
    """The person wrote (`message`) or tapped, scanned, followed: a sending window opens."""
    query = Q.heard_message if message else Q.heard_event
    await query(tx, institution_id=tx.institution_id, openid=openid, now=tx.now)


async def left(tx: Tx, openid: str) -> None:
    """The person no longer follows."""
    await Q.left(tx, institution_id=tx.institution_id, openid=openid)


async def window_open(tx: Tx, openid: str) -> bool:
    """Whether a customer-service message may be tried; needs a union-wide reader (the window is the account's)."""
    row = await Q.last_heard(tx, openid=openid)
    if row is None or not row["following"]:
        return False
    message_at, event_at = row["message_at"], row["event_at"]
    return bool(
        (message_at and tx.now - message_at < MESSAGE_WINDOW)
        or (event_at and tx.now - event_at < EVENT_WINDOW)
    )


async def leads_everywhere(tx: Tx, openid: str) -> list[Lead]:
    return [Lead(*row) for row in await Q.leads_everywhere(tx, openid=openid)]


def message_key(*parts: str) -> bytes:
    """The hash of what makes a delivery unique: MsgId, or sender + time + event + key (wechat.md)."""
    return hashlib.sha256("\x00".join(parts).encode()).digest()


async def first_time(tx: Tx, key: bytes, message_id: str) -> bool:
    """Claim a message. False for a repeat; overlapping repeats wait here until the first is committed."""
    return bool(await Q.claim(tx, key=key, served_by=tx.institution_id, message_id=message_id, now=tx.now))


async def earlier(tx: Tx, key: bytes) -> Earlier | None:
    row = await Q.claimed(tx, key=key)
    return None if row is None else Earlier(row["served_by"], row["message_id"])


async def keep(
    tx: Tx, message_id: str, openid: str, kind: str, topic: str, text: str, reply: bytes, at: datetime
) -> None:
    """Log a message and its answer; both are sealed."""
    await Q.insert_message(
        tx,
        institution_id=tx.institution_id,
        id=message_id,
        openid=openid,
        kind=kind,
        topic=topic,
        text=tx.vault.encrypt(_TABLE, "text", message_id, text) if text else None,
        reply=tx.vault.seal(_TABLE, "reply", message_id, reply) if reply else None,
        now=at,
    )


async def reply_of(tx: Tx, message_id: str) -> bytes:
    """The answer given before; empty when there was nothing to say."""
    stored = await Q.reply_of(tx, institution_id=tx.institution_id, id=message_id)
    return b"" if stored is None else tx.vault.open(_TABLE, "reply", message_id, stored)


async def messages_everywhere(tx: Tx, openid: str) -> dict[str, int]:
    """How many messages were taken in, by topic; a repeat is not counted."""
    return {row["topic"]: row["count"] for row in await Q.messages_everywhere(tx, openid=openid)}


async def last_topics(tx: Tx, openid: str, most: int) -> list[str]:
    """Topics of what the account said here within `SAME_TALK`, newest first."""
    since = tx.now - SAME_TALK
    rows = await Q.last_topics(tx, institution_id=tx.institution_id, openid=openid, since=since, most=most)
    return [row["topic"] for row in rows]


async def last_said(tx: Tx, openid: str, institution_id: str, most: int) -> list[Said]:
    """As `last_topics` with the words, in any institution; for a union-wide reader."""
    since = tx.now - SAME_TALK
    rows = await Q.last_said(tx, institution_id=institution_id, openid=openid, since=since, most=most)
    return [Said(row["topic"], _words(tx, row)) for row in rows]


def _words(tx: Tx, row: Any) -> str:
    if row["text"] is None or row["kind"] == "event.click":
        return ""
    return tx.vault.decrypt(_TABLE, "text", row["id"], row["text"])
