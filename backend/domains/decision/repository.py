"""One function per query; seals and opens the capsule."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from backend.core import ids
from backend.db import queries, reference
from backend.db.database import Tx
from backend.domains.decision.model import Capsule, Decision, Outcome, canonical
from backend.domains.decision.nearest import Nearest

Q = queries.load(__package__)
_TABLE = "decision.decisions"
_NEAREST = "decision.nearest_changes"


class Body(msgspec.Struct, frozen=True):
    """`text` is canonical JSON; `stage` is None for scorecards and catalogues."""

    hash: str
    kind: str
    stage: str | None
    text: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A stored decision. `capsule` are the bytes as decided, `sha256` their hash when they were stored."""

    id: str
    application_id: str
    attempt: int
    outcome: Outcome
    decided_at: datetime
    capsule: bytes
    sha256: bytes

    @property
    def opened(self) -> Capsule:
        return msgspec.json.decode(self.capsule, type=Capsule)

    @property
    def decision(self) -> Decision:
        return self.opened.decision


async def bodies(tx: Tx, hashes: list[str]) -> dict[str, Body]:
    return {row["hash"]: Body(*row) for row in await Q.bodies(tx, hashes=hashes)}


async def may_be_named(tx: Tx, hashes: list[str]) -> frozenset[str]:
    return frozenset(row["hash"] for row in await Q.may_be_named(tx, hashes=hashes))


async def hold_models(tx: Tx, hashes: list[str]) -> None:
    await Q.hold_models(tx, hashes=hashes)


async def add_missing(tx: Tx, name: str, versions: list[Body]) -> None:
    """Store the versions that are not stored yet."""
    hashes = tuple(version.hash for version in versions)

    async def ask() -> frozenset[str]:
        return frozenset(row["hash"] for row in await Q.known(tx, hashes=list(hashes)))

    known = await reference.kept(tx, "versions", "known", hashes, ask=ask)
    for version in versions:
        if version.hash not in known:
            await Q.add_version(
                tx,
                hash=version.hash,
                kind=version.kind,
                name=name,
                stage=version.stage,
                body=version.text,
                added_by=f"{tx.actor.kind}:{tx.actor.id}",
                now=tx.now,
            )


class Live(msgspec.Struct, frozen=True):
    """One row of what decides: institution '*' is the union's layer, product '*' every product without its own."""

    institution_id: str
    product_code: str
    stage: str
    hash: str
    price_band: list[int] | None
    until: datetime | None


LATE = timedelta(minutes=1)
"""The timetable takes an ended version away within seconds, its successor put in its place first; only where it
stands still the end holds without it."""


async def live(tx: Tx, product_code: str) -> tuple[Live, ...]:
    async def ask() -> tuple[Live, ...]:
        rows = await Q.live(tx, institution_id=tx.institution_id, product_code=product_code)
        return tuple(Live(*row) for row in rows)

    rows = await reference.kept(tx, "live", product_code, ask=ask)
    return tuple(row for row in rows if row.until is None or tx.now < row.until + LATE)


async def set_live(
    tx: Tx,
    institution_id: str,
    product_code: str,
    stage: str,
    digest: str,
    price_band: list[int] | None,
    until: datetime | None,
) -> None:
    key = {"institution_id": institution_id, "product_code": product_code, "stage": stage}
    await Q.set_live(tx, **key, hash=digest, price_band=price_band, until=until, now=tx.now)


async def end_live(tx: Tx, institution_id: str, product_code: str, stage: str) -> None:
    await Q.end_live(tx, institution_id=institution_id, product_code=product_code, stage=stage)


async def county_bodies(tx: Tx, hashes: list[str]) -> dict[str, str]:
    rows = await Q.county_bodies(tx, institution_id=tx.institution_id, hashes=hashes)
    return {row["hash"]: row["body"] for row in rows}


async def add_county_version(tx: Tx, digest: str, stage: str, body: str) -> None:
    await Q.add_county_version(
        tx,
        institution_id=tx.institution_id,
        hash=digest,
        stage=stage,
        body=body,
        added_by=f"{tx.actor.kind}:{tx.actor.id}",
        now=tx.now,
    )


async def pin(tx: Tx, application_id: str, versions: object) -> None:
    await Q.pin(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        versions=msgspec.to_builtins(versions),
        now=tx.now,
    )


async def pinned(tx: Tx, application_id: str) -> Any:
    return await Q.pinned(tx, institution_id=tx.institution_id, application_id=application_id)


async def count_past(tx: Tx, product_code: str, after: str) -> int:
    given = {"institution_id": tx.institution_id, "product_code": product_code, "after": after}
    return int(await Q.count_past(tx, **given))


async def first_beyond(tx: Tx, product_code: str, block: int, least: int) -> str | None:
    found = await Q.first_beyond(
        tx, institution_id=tx.institution_id, product_code=product_code, block=block, least=least
    )
    return str(found) if found else None


async def past(tx: Tx, product_code: str, before: str, most: int) -> list[tuple[str, bytes]]:
    rows = await Q.past(
        tx, institution_id=tx.institution_id, product_code=product_code, before=before, most=most
    )
    return [(row["id"], tx.vault.open(_TABLE, "capsule", row["id"], row["capsule"])) for row in rows]


async def record(
    tx: Tx, application_id: str, attempt: int, capsule: Capsule, advice: Nearest | None
) -> Recorded | None:
    """The new decision; None when this attempt has one already."""
    decision, plain, number = capsule.decision, canonical(capsule), ids.new()
    digest = hashlib.sha256(plain).digest()
    found = await Q.record(
        tx,
        institution_id=tx.institution_id,
        id=number,
        application_id=application_id,
        attempt=attempt,
        product_code=decision.product,
        outcome=str(decision.outcome),
        amount_fen=decision.amount_fen,
        annual_rate_bp=decision.annual_rate_bp,
        term_months=decision.term_months,
        grade=decision.grade,
        score=decision.score,
        reason_codes=[reason.code for reason in decision.reasons],
        completeness_bp=decision.completeness_bp,
        versions=msgspec.to_builtins(decision.versions),
        capsule=tx.vault.seal(_TABLE, "capsule", number, plain),
        capsule_sha256=digest,
        advice=tx.vault.seal(_NEAREST, "body", number, canonical(advice)) if advice else None,
        actionable=advice.actionable if advice else None,
        now=tx.now,
    )
    if found is None:
        return None
    return Recorded(
        id=number,
        application_id=application_id,
        attempt=attempt,
        outcome=Outcome(decision.outcome),
        decided_at=tx.now,
        capsule=plain,
        sha256=digest,
    )


async def get(tx: Tx, decision_id: str) -> Recorded | None:
    return _recorded(tx, await Q.get(tx, institution_id=tx.institution_id, id=decision_id))


async def latest_for(tx: Tx, application_id: str) -> Recorded | None:
    row = await Q.latest_for(tx, institution_id=tx.institution_id, application_id=application_id)
    return _recorded(tx, row)


async def forgotten(tx: Tx, application_id: str) -> bool:
    return bool(await Q.forgotten(tx, institution_id=tx.institution_id, application_id=application_id))


async def nearest_of(tx: Tx, decision_id: str) -> Nearest | None:
    body = await Q.nearest_of(tx, institution_id=tx.institution_id, decision_id=decision_id)
    if not body:
        return None
    return msgspec.json.decode(tx.vault.open(_NEAREST, "body", decision_id, body), type=Nearest)


async def institution_of(tx: Tx, number: str) -> str | None:
    found = await Q.institution_of(tx, id=number)
    return None if found is None else str(found)


def _recorded(tx: Tx, row: Any) -> Recorded | None:
    if row is None:
        return None
    return Recorded(
        id=row["id"],
        application_id=row["application_id"],
        attempt=row["attempt"],
        outcome=Outcome(row["outcome"]),
        decided_at=row["decided_at"],
        capsule=tx.vault.open(_TABLE, "capsule", row["id"], row["capsule"]) if row["capsule"] else b"",
        sha256=bytes(row["capsule_sha256"]),
    )
