"""The same key with the same request gets the saved answer; with another request it is refused."""

import hashlib
from collections.abc import Awaitable, Callable

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.outbox.effects import Q


class KeyUsedForAnotherRequest(Invalid):
    code = "key_reused"
    message = "这个提交编号已经用过，请刷新页面再试"


def request_hash(*parts: str) -> bytes:
    return hashlib.sha256("\x00".join(parts).encode()).digest()


async def previous_answer(tx: Tx, key: str, request: bytes) -> str | None:
    """What was answered before, or None. Raises `KeyUsedForAnotherRequest` (422)."""
    row = await Q.answer_for(tx, institution_id=tx.institution_id, key=key)
    if row is None:
        return None
    if row["request_hash"] != _kept(tx, request):
        raise KeyUsedForAnotherRequest()
    return str(row["answer"])


async def remember(tx: Tx, key: str, request: bytes, answer: str) -> bool:
    """Save the answer with the change. False when another request with this key committed first."""
    return bool(
        await Q.remember_answer(
            tx,
            institution_id=tx.institution_id,
            key=key,
            request_hash=_kept(tx, request),
            answer=answer,
            now=tx.now,
        )
    )


def _kept(tx: Tx, request: bytes) -> bytes:
    """Under the index key: a request may be little more than a phone number, and those can be counted through."""
    return tx.vault.blind("request", request.hex())


async def once(tx: Tx, key: str, request: bytes, work: Callable[[], Awaitable[str]]) -> str:
    """Do `work` and save its answer, or give the answer saved before. Two at once: the second waits.

    Raises `KeyUsedForAnotherRequest`, and whatever `work` raises (nothing is saved then).
    """
    await Q.hold_key(tx, key=f"{tx.institution_id} {key}")
    previous = await previous_answer(tx, key, request)
    if previous is not None:
        return previous
    answer = await work()
    await remember(tx, key, request, answer)
    return answer
