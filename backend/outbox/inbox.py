"""Inbox: what others tell us is stored before it is understood, so order and repetition do not matter."""

from datetime import datetime

import msgspec

from backend.db.database import Tx
from backend.outbox.effects import Q


class Message(msgspec.Struct, frozen=True):
    message_id: str
    payload: dict[str, object]
    received_at: datetime


async def receive(tx: Tx, *, source: str, message_id: str, case_id: str, payload: dict[str, object]) -> bool:
    """Store a message; False when it is a repeat."""
    sealed = tx.vault.seal("outbox.inbox", "payload", f"{source}/{message_id}", msgspec.json.encode(payload))
    return bool(
        await Q.receive(
            tx,
            institution_id=tx.institution_id,
            source=source,
            message_id=message_id,
            case_id=case_id,
            payload=sealed,
            now=tx.now,
        )
    )


async def unapplied(tx: Tx, *, source: str, case_id: str) -> list[Message]:
    """Messages of one case waiting for their turn, oldest first, locked until the transaction ends."""
    rows = await Q.unapplied(tx, institution_id=tx.institution_id, source=source, case_id=case_id)
    return [
        Message(
            row["message_id"],
            msgspec.json.decode(
                tx.vault.open("outbox.inbox", "payload", f"{source}/{row['message_id']}", row["payload"])
            ),
            row["received_at"],
        )
        for row in rows
    ]


async def applied(tx: Tx, *, source: str, message_id: str, outcome: str) -> None:
    await Q.applied(
        tx,
        institution_id=tx.institution_id,
        source=source,
        message_id=message_id,
        now=tx.now,
        outcome=outcome,
    )
