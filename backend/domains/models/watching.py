"""Keeping what the monitors found, the alarms and their answers, and the figures behind a chart (D1-05)."""

from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import structlog

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision.model import canonical
from backend.domains.models import artefacts, drift, repository
from backend.domains.models.model import Alarm, AlarmMissing, ModelMoved, NotYourAlarm, Result, WhyMissing

log = structlog.get_logger("models")

ANALYST = "role:risk_analyst"
"""Owner of a county's alarms, and of those of the model shipped with the code: the risk analysts there."""

ANSWERING = ("risk_analyst", "county_admin", "head_office_admin")

NAMED_FOR = timedelta(days=90)
"""How long after its last answer a model that flows named is watched on; as long as its figures look back."""


class Watched(msgspec.Struct, frozen=True):
    """A model under watch: `family` '' for the shipped one, `reference` what its training sample looked like."""

    id: str | None
    artefact: str
    owner: str
    family: str
    reference: dict[str, Any]
    ks: float


@cache
def shipped() -> Watched:
    """The card that decides before any other is registered, with its own report."""
    folder = resources.files("backend.domains.decision") / "scorecards"
    report = msgspec.json.decode((folder / "personal_credit.report.json").read_bytes())
    return Watched(None, report["model_sha256"], ANALYST, "", report["reference"], report["test"]["ks"])


async def watched(tx: Tx) -> list[Watched]:
    """All models that decide or lately did, the shipped one, and whichever a flow named and asked lately: it may name
    one that is approved and not live."""
    found = _watched(await repository.in_use(tx, ("live", "watch")))
    known = {shipped().artefact: shipped()} | {each.artefact: each for each in found}
    for artefact in await repository.named_lately(tx, tx.now - NAMED_FOR):
        named = None if artefact in known else await tested(tx, artefact)
        if named is not None:
            known[artefact] = named
    return [*known.values()]


async def batches(tx: Tx) -> list[Watched]:
    """Registered and tested models that only score batches; `flows/watch_batch.py` measures them."""
    return _watched(await repository.for_batches(tx))


async def tested(tx: Tx, artefact: str) -> Watched | None:
    """What a batch of this model, or a flow that names it, is held against, whether it may decide or not; None when it
    was never tested."""
    if artefact == shipped().artefact:
        return shipped()
    found = await repository.tested(tx, artefact)
    return None if found is None else _watched([found])[0]


def _watched(found: list[repository.InUse]) -> list[Watched]:
    return [
        Watched(m.id, m.artefact, m.owner, m.family, m.report.get("reference", {}), m.report["test"]["ks"])
        for m in found
        if m.report is not None
    ]


async def shadows(tx: Tx) -> list[repository.InUse]:
    return await repository.in_use(tx, ("shadow",))


async def hashes(tx: Tx, institution_id: str, models: list[Watched]) -> dict[str, Watched]:
    """By the hash a decision of this county carries (with the county's offset): the model behind it. One that today's
    catalogue refuses is said aloud and left out: it decides nothing, and the others are watched on."""
    found = {}
    for model in models:
        if model.id is None:
            found[model.artefact] = model
            continue
        body = (await repository.artefact(tx, model.artefact)).encode()
        try:
            card = artefacts.compile_model(canonical(artefacts.for_county(body, institution_id)))
        except Invalid as unfit:
            log.error("a watched model cannot be read", model=model.artefact, error=unfit.code)
            continue
        found[card.hash] = model
    return found


def bins(reference: dict[str, Any], values: dict[str, Any]) -> dict[str, int]:
    """In which bin of the training sample each value falls."""
    from bisect import bisect_right

    return {
        name: bisect_right(each["edges"], values[name])
        for name, each in reference.get("features", {}).items()
        if name in values
    }


async def observe(
    tx: Tx, decision_id: str, model_hash: str, found: dict[str, int], *, proposed: bool
) -> None:
    await repository.add_observation(tx, decision_id, model_hash, found, proposed)


async def observe_named(
    tx: Tx, decision_id: str, model_hash: str, score: int, found: dict[str, int], *, proposed: bool
) -> None:
    """Beside the model of the rating: one that a flow named and asked."""
    await repository.add_named_observation(tx, decision_id, model_hash, score, found, proposed)


async def decided_by(tx: Tx, decision_id: str) -> str | None:
    """The artefact that scored a case; None until the monitors looked at it, half a minute later at most."""
    return await repository.decided_by(tx, decision_id)


async def keep_shadow(tx: Tx, decision_id: str, model_id: str, score: int | None, error: str) -> None:
    await repository.add_shadow_score(tx, decision_id, model_id, score, error)


async def feature_counts(tx: Tx, model_hash: str, since: datetime) -> list[tuple[str, str, int, int]]:
    """(institution, feature, bin, cases); needs a union-wide reader."""
    return await repository.bins(tx, model_hash, since)


async def keep(tx: Tx, day: date, results: list[Result], owner: str) -> int:
    """Store a day's figures of one institution; what is not steady raises an alarm. Returns how many alarms."""
    sounded = 0
    for result in results:
        await repository.keep_result(tx, day, result)
        if result.level in (drift.NOTICE, drift.MOVED):
            await repository.sound(tx, day, result, owner)
            sounded += 1
    return sounded


async def alarms(tx: Tx, *, open_only: bool = True) -> list[Alarm]:
    return await repository.alarms(tx, ["open"] if open_only else ["open", "acknowledged"])


async def owed(tx: Tx) -> list[Alarm]:
    """Open alarms the actor owns, by name or as one of the institution's risk analysts."""
    mine = {f"staff:{tx.actor.id}", tx.actor.id, *([ANALYST] if tx.actor.has("risk_analyst") else ())}
    return [each for each in await alarms(tx) if each.owner in mine]


async def acknowledge(tx: Tx, alarm_id: str, note: str, *, false_alarm: bool) -> None:
    """A person says what it was. Raises `NotYourAlarm`, `WhyMissing`, `AlarmMissing`, `ModelMoved` when another was
    faster."""
    if tx.actor.kind != "staff" or not tx.actor.has(*ANSWERING):
        raise NotYourAlarm()
    if not note.strip():
        raise WhyMissing()
    if not await repository.acknowledge(tx, alarm_id, note.strip(), false_alarm):
        raise ModelMoved() if await repository.alarm_exists(tx, alarm_id) else AlarmMissing()
    audit.add(tx, "model.alarm_acknowledged", alarm_id, false_alarm=false_alarm)


async def series(tx: Tx, model_hash: str, measure: str, days: int = 180) -> dict[str, list[dict[str, Any]]]:
    """Chart data: subject → points by day (`day`, `value`, `level`, `cases`, `cut_offs`), oldest first. The
    cut-offs of a drift are those of that day: few cases are judged more mildly."""
    rows = await repository.results(tx, model_hash, measure, tx.now.date() - timedelta(days=days))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        value = None if row["value"] is None else float(row["value"])
        point = {"day": row["day"].isoformat(), "value": value, "level": row["level"], "cases": row["cases"],
                 "cut_offs": row["details"].get("cut_offs", [])}  # fmt: skip
        found.setdefault(row["subject"], []).append(point)
    return found


async def distribution(tx: Tx, model_hash: str, subject: str = "") -> dict[str, Any] | None:
    """Chart data: the newest day's counts then and now, of the score ('') or of a feature."""
    measure = "csi" if subject else "psi"
    rows = await repository.results(tx, model_hash, measure, tx.now.date() - timedelta(days=7))
    mine = [row for row in rows if row["subject"] == subject]
    return {"day": mine[-1]["day"].isoformat(), **mine[-1]["details"]} if mine else None


async def false_alarm_rate(tx: Tx, days: int = 365) -> dict[str, dict[str, float | int]]:
    """Of the alarms people answered: how many were false, per measure."""
    found = await repository.false_alarm_rate(tx, tx.now - timedelta(days=days))
    return {
        measure: {"answered": answered, "false": false, "rate": round(false / answered, 4)}
        for measure, answered, false in found
    }


async def usage(tx: Tx, model_hash: str, days: int = 90) -> dict[str, dict[str, Any]]:
    """Decisions made by a model in each county the reader may see: `cases` and `last_at`."""
    found = await repository.usage(tx, model_hash, tx.now - timedelta(days=days))
    return {county: {"cases": cases, "last_at": last_at} for county, cases, last_at in found}
