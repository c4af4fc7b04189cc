"""自动审批抽查: automatic approvals looked at again by a person (D2-07).

`open_recheck` is also how others bring in a decision they doubt, e.g. a shadow model that would not have approved it
(trigger `challenger`); a second trigger joins the first.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.reviews.model import (
    RECHECK,
    RECHECK_TRIGGERS,
    FindingInvalid,
    Recheck,
    RecheckAnswered,
    RecheckMissing,
    RecheckYours,
)

Q = queries.load(__package__, "queries_rechecks.sql")
_TABLE = "reviews.rechecks"
SHORTEST = 4  # characters


def sampled(decision_of: str, share: Decimal) -> bool:
    """Whether the case is in the sample: by a stable hash of its id, so that nobody can pick and a retry is no
    second draw."""
    drawn = int.from_bytes(hashlib.sha256(f"recheck {decision_of}".encode()).digest()[:8], "big")
    return drawn < int(share * 2**64)


async def open_recheck(
    tx: Tx, application_id: str, decision_id: str, triggers: Iterable[str], due_at: datetime
) -> None:
    """Put a decision before a person, for one or more of `RECHECK_TRIGGERS`; nothing without one."""
    found = sorted(set(triggers))
    if not found:
        return
    if unknown := set(found) - set(RECHECK_TRIGGERS):
        raise ValueError(f"no such trigger: {sorted(unknown)}")
    opened = await Q.open(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        application_id=application_id,
        decision_id=decision_id,
        triggers=found,
        due_at=due_at,
        now=tx.now,
    )
    if opened:
        audit.add(tx, "recheck.opened", decision_id, triggers=found)


async def get(tx: Tx, recheck_id: str) -> Recheck:
    """Locked until the transaction ends. Raises `RecheckMissing`."""
    row = None
    if ids.is_uuid(recheck_id):
        row = await Q.lock(tx, institution_id=tx.institution_id, id=recheck_id)
    if row is None:
        raise RecheckMissing()
    return _recheck(tx, row)


async def listed(tx: Tx, status: str, most: int = 50) -> list[Recheck]:
    rows = await Q.listed(tx, institution_id=tx.institution_id, status=status, most=most)
    return [_recheck(tx, row) for row in rows]


async def answered(tx: Tx, application_id: str = "", most: int = 50) -> list[Recheck]:
    """Of one case or of all, the newest first."""
    rows = await Q.answered(tx, institution_id=tx.institution_id, application_id=application_id, most=most)
    return [_recheck(tx, row) for row in rows]


async def waiting(tx: Tx) -> dict[str, int]:
    """How many are open, and how many were found wrong and are not settled."""
    rows = await Q.waiting(tx, institution_id=tx.institution_id)
    return {"open": 0, "disagreed": 0} | {row["status"]: row["cases"] for row in rows}


async def counts(tx: Tx, since: datetime) -> list[tuple[str, str, int]]:
    """(trigger, status, cases) of re-checks opened since; a case with two triggers counts at both."""
    rows = await Q.counts(tx, institution_id=tx.institution_id, since=since)
    return [(row["trigger"], row["status"], row["cases"]) for row in rows]


async def find(tx: Tx, recheck: Recheck, status: str, why: str) -> None:
    """The reviewer's finding: agreed or disagreed, with reasons. Raises `FindingInvalid`, `RecheckAnswered`."""
    fields = {}
    if status not in RECHECK.moves["open"]:
        fields["finding"] = "请选同意还是不同意"
    if len(why.strip()) < SHORTEST:
        fields["why"] = "请写明理由，至少四个字"
    if fields:
        raise FindingInvalid(fields=fields)
    if not await Q.find(
        tx,
        institution_id=tx.institution_id,
        id=recheck.id,
        status=status,
        why=tx.vault.encrypt(_TABLE, "why", recheck.id, why.strip()),
        found_by=str(tx.actor),
        now=tx.now,
    ):
        raise RecheckAnswered()
    audit.add(tx, f"recheck.{status}", recheck.decision_id, triggers=list(recheck.triggers))


async def settle(tx: Tx, recheck: Recheck, done: str) -> None:
    """What came of a wrong one. Raises `FindingInvalid`, `RecheckAnswered`, `RecheckYours`."""
    if len(done.strip()) < SHORTEST:
        raise FindingInvalid(fields={"done": "请写明怎么处理的，至少四个字"})
    who = str(tx.actor)
    if recheck.found_by == who:
        raise RecheckYours()
    if not await Q.settle(
        tx,
        institution_id=tx.institution_id,
        id=recheck.id,
        done=tx.vault.encrypt(_TABLE, "done", recheck.id, done.strip()),
        done_by=who,
        now=tx.now,
    ):
        raise RecheckAnswered()
    audit.add(tx, "recheck.settled", recheck.decision_id)


def _recheck(tx: Tx, row: Any) -> Recheck:
    values = {name: row[name] for name in Recheck.__struct_fields__}
    for column in ("why", "done"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    return Recheck(**values | {"triggers": tuple(values["triggers"])})
