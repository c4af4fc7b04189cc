"""Keep and find what was answered. Nothing here asks anybody; that is the flow's work."""

from datetime import timedelta
from typing import Any

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.evidence.model import Answer
from backend.domains.evidence.sources import Source

Q = queries.load(__package__)

_TABLE = "evidence.answers"


async def store(tx: Tx, application_id: str, answer: Answer) -> bool:
    """Keep an answer, sealed. False when the case has one of this source already."""
    row_id = f"{application_id}/{answer.source}"
    stored = await Q.store(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        source=answer.source,
        consent_id=answer.consent_id,
        reference=answer.reference,
        sha256=answer.sha256,
        facts=tx.vault.seal(_TABLE, "facts", row_id, msgspec.json.encode(answer.facts)),
        raw=tx.vault.seal(_TABLE, "raw", row_id, answer.raw),
        observed_at=answer.observed_at,
        price_fen=answer.price_fen,
        rung=answer.rung,
        taken_from=answer.taken_from,
        now=tx.now,
    )
    if stored:
        audit.add(
            tx,
            "evidence.stored",
            application_id,
            source=answer.source,
            consent=answer.consent_id,
            reference=answer.reference,
            sha256=answer.sha256,
            rung=answer.rung,
        )
    return bool(stored)


async def answers(tx: Tx, application_id: str) -> dict[str, Answer]:
    """By source; `raw` stays sealed where it is."""
    rows = await Q.answers(tx, institution_id=tx.institution_id, application_id=application_id)
    return {row["source"]: _answer(tx, application_id, row) for row in rows}


def _answer(tx: Tx, application_id: str, row: Any) -> Answer:
    values = dict(row)
    row_id = f"{application_id}/{values['source']}"
    values["facts"] = msgspec.json.decode(tx.vault.open(_TABLE, "facts", row_id, values["facts"]))
    if "raw" in values:
        values["raw"] = tx.vault.open(_TABLE, "raw", row_id, values["raw"])
    return Answer(**values)


async def cached(tx: Tx, earlier: list[str], source: Source, consent_id: str) -> Answer | None:
    """What the source said in one of these earlier cases of the person, while it may still be used: at most
    `cache_days` old, and under the very consent that stands for this case (D3-09). As an answer of this case; it
    costs nothing.
    """
    row = await Q.cached(
        tx,
        institution_id=tx.institution_id,
        earlier=earlier,
        source=source.name,
        consent_id=consent_id,
        since=tx.now - timedelta(days=source.cache_days),
    )
    if row is None:
        return None
    values = dict(row)
    taken_from = str(values.pop("application_id"))
    answer = _answer(tx, taken_from, values)
    return msgspec.structs.replace(answer, rung="cached", taken_from=taken_from, price_fen=0)
