"""Effects (outbox): written in the transaction of the change that causes them, delivered by the worker."""

import random
from datetime import datetime, timedelta
from typing import Any

import msgspec

from backend.core import ids
from backend.core.lifecycle import Lifecycle
from backend.db import queries
from backend.db.database import Tx
from backend.outbox import queue

Q = queries.load(__package__)

EFFECT = Lifecycle(
    "effect",
    {
        "waiting": "等待发送",
        "delivering": "正在发送",
        "delivered": "已送达",
        "overtaken": "有了新消息，不再发",
        "dead": "多次未送达",
    },
    {
        "waiting": ("delivering", "delivered", "overtaken"),
        "delivering": ("delivered", "waiting", "dead"),
        "dead": ("waiting",),
    },
)

LEASE = timedelta(seconds=15)
"""How long a worker that died is waited for; a living one renews it (`keep`) while its handler runs."""

FIRST_WAIT, LONGEST_WAIT = 2.0, 3600.0  # seconds
GIVE_UP_AFTER = timedelta(hours=72)  # trust §1: back-off + jitter for at least 72 h, then a dead letter
MOST_LOST, LOST_FOR = 10, timedelta(hours=1)
"""Workers in a row an effect may lose, and for how long at least, before it is a dead letter (findings: PgQueuer
counts no crashes). Both, because in a storm of other causes innocent effects lose ten workers within minutes."""

LOST = "worker_lost"
FAILING = 8
"""From so many attempts on (some five minutes of back-off) an operator is told, long before it is a dead letter."""


class Effect(msgspec.Struct, frozen=True):
    """A leased effect. `payload` is opened; `key` is what the other side sees on every attempt."""

    institution_id: str
    id: str
    kind: str
    case_id: str
    key: str
    payload: dict[str, object]
    attempts: int
    created_at: datetime
    last_error: str | None = None


async def add(
    tx: Tx,
    *,
    kind: str,
    case_id: str,
    payload: dict[str, object],
    key: str | None = None,
    delay: timedelta | None = None,
    first: bool = False,
    wake: bool = True,
    overtakes: str | None = None,
) -> str | None:
    """Record an effect of this transaction's change. Returns its id, or None when `key` was there already.

    `key` defaults to the effect's own id. `kind` names the handler in backend/jobs. `first`: a person waits for it.
    With a `delay`, or without `wake`, no worker is woken: the sweep finds it within a second of its time. `overtakes`
    is the key of an effect of this kind that need not go out any more, if it has not begun to.
    """
    effect_id = ids.new()
    sealed = tx.vault.seal("outbox.effects", "payload", effect_id, msgspec.json.encode(payload))
    at_once = wake and not delay
    query, more = (Q.insert_overtaking, {"overtakes": overtakes}) if overtakes else (Q.insert_effect, {})
    if first and at_once:
        query = Q.insert_called
    inserted = await query(
        tx,
        institution_id=tx.institution_id,
        id=effect_id,
        kind=kind,
        case_id=case_id,
        key=key or effect_id,
        payload=sealed,
        now=tx.now,
        due_at=tx.now + (delay or timedelta()),
        **more,
    )
    if inserted is None:
        return None
    if at_once and not first:
        await queue.enqueue(tx, tx.institution_id, effect_id)
    return effect_id


async def lease(tx: Tx, effect_id: str) -> Effect | None:
    """Take an effect for delivery, or None when it is done, taken, unknown or not due.

    An effect whose worker died under it is taken again at once; from the second time on later each time, so
    that it meets no others if it kills the next one too. After `MOST_LOST` workers in a row and `LOST_FOR` it
    is a dead letter.
    """
    mine = {"institution_id": tx.institution_id, "id": effect_id, "now": tx.now}
    row = await Q.lease(tx, **mine, until=tx.now + LEASE)
    if row is None and await _recovered(tx, effect_id):
        row = await Q.lease(tx, **mine, until=tx.now + LEASE)
    return _effect(tx, row)


async def hold(tx: Tx, effect_id: str) -> Effect | None:
    """As `lease`, for a delivery that ends with this transaction: the row is locked and nothing is counted. None also
    for one that another has in hand."""
    return _effect(tx, await Q.hold(tx, institution_id=tx.institution_id, id=effect_id, now=tx.now))


async def unreadable(tx: Tx, effect_id: str, error: str) -> None:
    """For one whose lease fails by a mistake of ours: the attempt counts, so that it comes again later each time, is
    seen, and is a dead letter in the end."""
    row = await Q.lease(tx, institution_id=tx.institution_id, id=effect_id, now=tx.now, until=tx.now + LEASE)
    if row is not None:
        await failed(tx, _opened(tx, row, b"{}"), error)


def _effect(tx: Tx, row: Any) -> Effect | None:
    if row is None:
        return None
    return _opened(tx, row, tx.vault.open("outbox.effects", "payload", row["id"], row["payload"]))


def _opened(tx: Tx, row: Any, payload: bytes) -> Effect:
    return Effect(
        tx.institution_id,
        row["id"],
        row["kind"],
        row["case_id"],
        row["key"],
        msgspec.json.decode(payload),
        row["attempts"],
        row["created_at"],
        row["last_error"],
    )


async def _recovered(tx: Tx, effect_id: str) -> bool:
    """Whether a lease that had run out was taken back."""
    return bool(
        await Q.recover(
            tx,
            institution_id=tx.institution_id,
            id=effect_id,
            now=tx.now,
            most=MOST_LOST,
            since=tx.now - LOST_FOR,
            jitter=random.uniform(0.8, 1.2),
            error=LOST,
        )
    )


async def keep(tx: Tx, effect: Effect) -> bool:
    """Renew the lease of a delivery that is under way; False when it is somebody else's by now."""
    kept = await Q.keep(
        tx, institution_id=tx.institution_id, id=effect.id, attempts=effect.attempts, until=tx.now + LEASE
    )
    return bool(kept)


async def delivered(tx: Tx, effect: Effect) -> None:
    """The other side has it, also when the lease ran out meanwhile: one success is enough."""
    await Q.delivered(tx, institution_id=tx.institution_id, id=effect.id, now=tx.now)


async def hasten(tx: Tx, effect: Effect) -> None:
    """After a delivery: its like that wait because a system was away, or because they failed as this one did, need
    wait no longer. In no transaction that does anything else: it takes hold of what is others'."""
    error = effect.last_error if effect.last_error != LOST else None
    await Q.hasten(tx, institution_id=tx.institution_id, kind=effect.kind, error=error, now=tx.now)


async def failed(tx: Tx, effect: Effect, error: str, *, final: bool = False) -> bool:
    """Put it back with back-off and jitter, or make it a dead letter. Returns True when it is dead.

    Nothing happens when the lease ran out and another attempt is under way.
    """
    mine = {"institution_id": tx.institution_id, "id": effect.id, "attempts": effect.attempts}
    if final or tx.now - effect.created_at > GIVE_UP_AFTER:
        await Q.give_up(tx, **mine, error=error)
        return True
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(effect.attempts - 1, 20)) * random.uniform(0.8, 1.2)
    delay = timedelta(seconds=wait)
    await Q.postpone(tx, **mine, due_at=tx.now + delay, error=error)
    return False


async def forget(tx: Tx, effect: Effect) -> None:
    """Empty the payload of an effect that carried a secret, once nobody needs it any more (D3-14, C3)."""
    sealed = tx.vault.seal("outbox.effects", "payload", effect.id, b"{}")
    await Q.forget_payload(tx, institution_id=tx.institution_id, id=effect.id, payload=sealed)


class DeadLetter(msgspec.Struct, frozen=True):
    id: str
    kind: str
    case_id: str
    key: str
    attempts: int
    last_error: str | None
    created_at: datetime


async def dead(tx: Tx, most: int = 100, skipped: int = 0) -> list[DeadLetter]:
    """The oldest first."""
    rows = await Q.dead(tx, institution_id=tx.institution_id, most=most, skipped=skipped)
    return [DeadLetter(*row) for row in rows]


async def dead_total(tx: Tx) -> int:
    return int(await Q.dead_total(tx, institution_id=tx.institution_id))


async def is_dead(tx: Tx, effect_id: str) -> bool:
    return bool(await Q.is_dead(tx, institution_id=tx.institution_id, id=effect_id))


async def revive(tx: Tx, effect_id: str) -> bool:
    """A member of staff sends a dead letter again; False when it is not dead (any more)."""
    if not await Q.revive(tx, institution_id=tx.institution_id, id=effect_id, now=tx.now):
        return False
    await queue.enqueue(tx, tx.institution_id, effect_id, f"revived:{tx.now.timestamp()}")
    return True


class EffectState(msgspec.Struct, frozen=True):
    id: str
    kind: str
    key: str
    status: str
    attempts: int
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


async def of_case(tx: Tx, case_id: str) -> list[EffectState]:
    rows = await Q.of_case(tx, institution_id=tx.institution_id, case_id=case_id)
    return [EffectState(*row) for row in rows]


async def due(tx: Tx, most: int = 200) -> list[tuple[str, str]]:
    """(institution, effect) of what is due now; needs a union-wide reader."""
    return [(row["institution_id"], row["id"]) for row in await Q.overdue(tx, now=tx.now, most=most)]


async def wake_overdue(tx: Tx, most: int = 200) -> int:
    """Queue jobs for everything due: postponed effects, and those whose job or worker was lost.

    Needs a union-wide reader in a writing transaction (it writes to the queue only). Returns how many.
    """
    rows = await Q.overdue(tx, now=tx.now, most=most)
    round_ = int(tx.now.timestamp()) // 10
    # Every ten seconds a new job: the one of a worker that was killed before it took the lease stays
    # "picked" in the queue for half a minute. A job too many finds nothing to do.
    await queue.enqueue_all(
        tx, [(row["institution_id"], row["id"], f"{row['attempts']}:{round_}") for row in rows]
    )
    return len(rows)


class Alarm(msgspec.Struct, frozen=True):
    """Effects of one kind at one institution that do not arrive."""

    institution_id: str
    kind: str
    count: int
    oldest_at: datetime
    last_error: str | None


async def alarms(tx: Tx) -> list[Alarm]:
    """What gave up and waits for a person to revive it; needs a union-wide reader."""
    return [Alarm(*row) for row in await Q.alarms(tx)]


async def failing(tx: Tx) -> list[Alarm]:
    """What has failed `FAILING` times and is tried still; needs a union-wide reader."""
    return [Alarm(*row) for row in await Q.failing(tx, attempts=FAILING)]


async def forget_cases(tx: Tx, cases: list[str]) -> None:
    """Nothing that was carried about these cases stays; that it was does. None of them may be on its way."""
    await Q.forget_dead(tx, institution_id=tx.institution_id, cases=cases)
    await Q.forget_payloads(tx, institution_id=tx.institution_id, cases=cases)


async def forget_nobodys(tx: Tx, before: datetime) -> None:
    """What was carried before a moment and was about no case."""
    await Q.forget_nobodys(tx, institution_id=tx.institution_id, before=before)
