"""One function per query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.decision.model import Stage, canonical
from backend.domains.strategies.model import (
    UNION,
    CheckRun,
    Content,
    CountyContent,
    Effect,
    EffectFigures,
    Move,
    Report,
    Scenario,
    UnionContent,
    Used,
    Version,
    label,
)

Q = queries.load(__package__)
_SCENARIOS = "strategies.scenarios"


async def add(
    tx: Tx,
    institution_id: str,
    product_code: str,
    stage: Stage,
    *,
    content: Content,
    content_hash: str,
    document_hash: str,
    base_id: str | None,
    authors: list[str],
    reason: str,
    note: str,
) -> str:
    """The id of the new draft. `asyncpg.UniqueViolationError` when the strategy has an open one already."""
    number = ids.new()
    await Q.add(
        tx,
        institution_id=institution_id,
        id=number,
        product_code=product_code,
        stage=str(stage),
        content=canonical(content).decode(),
        content_hash=content_hash,
        document_hash=document_hash,
        base_id=base_id,
        maker=str(tx.actor),
        authors=authors,
        reason=reason,
        note=note,
        now=tx.now,
    )
    return number


async def get(tx: Tx, version_id: str) -> Version | None:
    return _version(await Q.get(tx, institution_id=tx.institution_id, id=version_id))


async def labels(tx: Tx, version_ids: list[str]) -> dict[str, str]:
    rows = await Q.numbers(tx, institution_id=tx.institution_id, ids=version_ids)
    return {row["id"]: label(row["stage"], row["number"]) for row in rows}


async def of_documents(tx: Tx, hashes: list[str]) -> list[Used]:
    rows = await Q.of_documents(tx, institution_id=tx.institution_id, hashes=hashes)
    return [Used(row["institution_id"] == UNION, row["id"], row["stage"], row["number"]) for row in rows]


async def owner_of(tx: Tx, version_id: str) -> str | None:
    found = await Q.owner_of(tx, id=version_id)
    return None if found is None else str(found)


async def of_counties(tx: Tx, product_code: str, stage: Stage) -> list[Version]:
    return _versions(await Q.of_counties(tx, product_code=product_code, stage=str(stage)))


async def lock(tx: Tx, institution_id: str, version_id: str) -> Version | None:
    return _version(await Q.lock(tx, institution_id=institution_id, id=version_id))


async def move(
    tx: Tx,
    version: Version,
    to_status: str,
    why: str,
    *,
    checker: str | None = None,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
) -> bool:
    """False when somebody moved it before."""
    moved = await Q.move(
        tx,
        institution_id=version.institution_id,
        id=version.id,
        from_status=version.status,
        to_status=to_status,
        who=str(tx.actor),
        why=why,
        checker=checker,
        effective_from=effective_from,
        effective_until=effective_until,
        now=tx.now,
    )
    return moved is not None


async def submit(tx: Tx, version: Version) -> bool:
    return bool(await Q.submit(tx, institution_id=version.institution_id, id=version.id, now=tx.now))


async def history(tx: Tx, institution_id: str, product_code: str, stage: Stage) -> list[Version]:
    rows = await Q.history(tx, institution_id=institution_id, product_code=product_code, stage=str(stage))
    return _versions(rows)


async def in_status(tx: Tx, statuses: Sequence[str]) -> list[Version]:
    return _versions(await Q.in_status(tx, institution_id=tx.institution_id, statuses=list(statuses)))


async def live(tx: Tx, institution_id: str, product_code: str, stage: Stage) -> Version | None:
    """The product's own, else the one of all products."""
    row = await Q.live(tx, institution_id=institution_id, product_code=product_code, stage=str(stage))
    return _version(row)


async def last_retired(tx: Tx, institution_id: str, product_code: str, stage: Stage) -> Version | None:
    row = await Q.last_retired(
        tx, institution_id=institution_id, product_code=product_code, stage=str(stage), now=tx.now
    )
    return _version(row)


async def any_of(tx: Tx, version_id: str) -> Version | None:
    return _version(await Q.any_of(tx, id=version_id))


async def replaced(tx: Tx, version: Version) -> Version | None:
    return _version(await Q.replaced(tx, **_itself(version)))


async def stood_before(tx: Tx, version: Version) -> Version | None:
    return _version(await Q.stood_before(tx, **_itself(version)))


async def coming(tx: Tx, version: Version) -> list[Version]:
    return _versions(await Q.coming(tx, **_itself(version)))


async def overtaken(tx: Tx, version: Version) -> bool:
    return bool(await Q.overtaken(tx, institution_id=version.institution_id, id=version.id))


def _itself(version: Version) -> dict[str, str]:
    return {
        "institution_id": version.institution_id,
        "product_code": version.product_code,
        "stage": str(version.stage),
        "id": version.id,
    }


async def not_returned(tx: Tx, since: datetime) -> list[tuple[str, str, str, datetime]]:
    """(version, who, why, when) of those that ended and nothing came after, newest first."""
    return [(row["id"], row["who"], row["why"], row["at"]) for row in await Q.not_returned(tx, since=since)]


async def brought_back(tx: Tx, since: datetime) -> list[tuple[str, str, str, datetime]]:
    """(version, who, why, when), newest first."""
    return [(row["id"], row["who"], row["why"], row["at"]) for row in await Q.brought_back(tx, since=since)]


async def due(tx: Tx, status: str) -> list[tuple[str, str]]:
    """(institution, version) of what the clock has to move."""
    return [(row["institution_id"], row["id"]) for row in await Q.due(tx, status=status, now=tx.now)]


async def moves(tx: Tx, version_id: str) -> list[Move]:
    rows = await Q.moves(tx, institution_id=tx.institution_id, version_id=version_id)
    return [Move(**dict(row)) for row in rows]


async def add_check(tx: Tx, version: Version, report: Report) -> CheckRun:
    run = CheckRun(
        id=ids.new(),
        version_id=version.id,
        content_hash=version.content_hash,
        failures=report.failures,
        report=report,
        run_by=str(tx.actor),
        run_at=tx.now,
    )
    await Q.add_check(
        tx,
        institution_id=version.institution_id,
        id=run.id,
        version_id=run.version_id,
        content_hash=run.content_hash,
        failures=run.failures,
        report=msgspec.to_builtins(report),
        run_by=run.run_by,
        now=run.run_at,
    )
    return run


async def last_check(tx: Tx, version_id: str) -> CheckRun | None:
    row = await Q.last_check(tx, institution_id=tx.institution_id, version_id=version_id)
    return None if row is None else msgspec.convert(dict(row), CheckRun)


async def add_approval(tx: Tx, version: Version, verdict: str, reason: str, run: CheckRun | None) -> None:
    await Q.add_approval(
        tx,
        institution_id=version.institution_id,
        id=ids.new(),
        version_id=version.id,
        content_hash=version.content_hash,
        maker=version.maker,
        checker=str(tx.actor),
        verdict=verdict,
        reason=reason,
        check_run_id=run.id if run else None,
        failures=run.failures if run else None,
        now=tx.now,
    )


async def add_scenario(
    tx: Tx, product_code: str, stage: str, name: str, body: dict[str, Any], scenario_id: str = ""
) -> str | None:
    """None when the name is taken."""
    number = scenario_id or ids.new()
    sealed = tx.vault.seal(_SCENARIOS, "body", number, canonical(body))
    found = await Q.add_scenario(
        tx,
        institution_id=tx.institution_id,
        id=number,
        product_code=product_code,
        stage=stage,
        name=name,
        body=sealed,
        made_by=str(tx.actor),
        now=tx.now,
    )
    return None if found is None else str(found)


async def ask_scenario_stop(tx: Tx, scenario_id: str, why: str) -> bool:
    given = {"institution_id": tx.institution_id, "id": scenario_id, "who": str(tx.actor), "now": tx.now}
    return bool(await Q.ask_scenario_stop(tx, why=why, **given))


async def stop_scenario(tx: Tx, scenario_id: str) -> bool:
    given = {"institution_id": tx.institution_id, "id": scenario_id}
    return bool(await Q.stop_scenario(tx, who=str(tx.actor), now=tx.now, **given))


async def asked_to_stop(tx: Tx, scenario_id: str) -> str | None:
    found = await Q.asked_to_stop(tx, institution_id=tx.institution_id, id=scenario_id)
    return None if found is None else str(found)


async def keep_scenario(tx: Tx, scenario_id: str) -> bool:
    return bool(await Q.keep_scenario(tx, institution_id=tx.institution_id, id=scenario_id))


async def stops_asked(tx: Tx) -> list[tuple[str, str, int]]:
    rows = await Q.stops_asked(tx, institution_id=tx.institution_id, who=str(tx.actor))
    return [(row["product_code"], row["stage"], row["waiting"]) for row in rows]


async def stopped_scenarios(tx: Tx, product_code: str, stage: str, most: int) -> list[Scenario]:
    given = {"product_code": product_code, "stage": stage, "most": most}
    rows = await Q.stopped_scenarios(tx, institution_id=tx.institution_id, **given)
    return [_scenario(tx, row) for row in rows]


async def scenarios(tx: Tx, product_code: str, stage: str) -> list[Scenario]:
    """Of one stage outside a decision, or '' those of the decision."""
    given = {"product_code": product_code, "stage": stage}
    rows = await Q.scenarios(tx, institution_id=tx.institution_id, **given)
    return [_scenario(tx, row) for row in rows]


def _scenario(tx: Tx, row: Any) -> Scenario:
    opened = msgspec.json.decode(tx.vault.open(_SCENARIOS, "body", row["id"], row["body"]))
    return msgspec.convert(
        {**{key: value for key, value in dict(row).items() if key != "body"}, **opened}, Scenario
    )


async def add_effect(tx: Tx, version: Version, total: int) -> str:
    number = ids.new()
    await Q.add_effect(
        tx,
        institution_id=version.institution_id,
        id=number,
        version_id=version.id,
        content_hash=version.content_hash,
        cases_total=total,
        figures=msgspec.to_builtins(EffectFigures()),
        asked_by=str(tx.actor),
        now=tx.now,
    )
    return number


async def advance_effect(
    tx: Tx, effect: Effect, done: int, figures: EffectFigures, *, finished: bool
) -> bool:
    """False when it was finished meanwhile."""
    return bool(
        await Q.advance_effect(
            tx,
            institution_id=effect.institution_id,
            id=effect.id,
            cases_done=done,
            figures=msgspec.to_builtins(figures),
            finished_at=tx.now if finished else None,
        )
    )


async def saves(tx: Tx, version_id: str) -> list[tuple[str, str, datetime]]:
    rows = await Q.saves(tx, institution_id=tx.institution_id, id=version_id)
    return [(row["note"], row["maker"], row["made_at"]) for row in rows]


async def effect(tx: Tx, effect_id: str) -> Effect | None:
    return _effect(await Q.effect(tx, institution_id=tx.institution_id, id=effect_id))


async def last_effect(tx: Tx, version_id: str) -> Effect | None:
    return _effect(await Q.last_effect(tx, institution_id=tx.institution_id, version_id=version_id))


def _effect(row: Any) -> Effect | None:
    return None if row is None else msgspec.convert(dict(row), Effect)


def _version(row: Any) -> Version | None:
    if row is None:
        return None
    held = dict(row)
    kind = UnionContent if held["institution_id"] == UNION else CountyContent
    held["content"] = msgspec.json.decode(held["content"], type=kind)
    held["stage"] = Stage(held["stage"])
    return Version(**held)


def _versions(rows: Any) -> list[Version]:
    return [found for found in map(_version, rows) if found is not None]
