"""One function per query of the register, its line-ups, shadows, observations and monitors."""

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from backend.core import ids
from backend.db import queries, reference
from backend.db.database import Tx
from backend.domains.models.model import Alarm, Drawn, Event, LineUp, Model, Proposal, Result

Q = queries.load(__package__)


async def add_artefact(tx: Tx, hash_: str, kind: str, body: str) -> None:
    await Q.add_artefact(tx, hash=hash_, kind=kind, body=body, who=tx.actor.id, now=tx.now)


async def artefact(tx: Tx, hash_: str) -> str:
    return str(await Q.artefact(tx, hash=hash_))


async def register(tx: Tx, new: Model, why: str) -> bool:
    added = await Q.register(
        tx, id=new.id, name=new.name, type=new.type, family=new.family, purpose=new.purpose, owner=new.owner,
        data_list=new.data_list, artefact=new.artefact, decides=new.decides, external=new.external,
        who=new.made_by, why=why, now=tx.now,
    )  # fmt: skip
    return added is not None


async def get(tx: Tx, model_id: str) -> Model | None:
    row = await Q.get(tx, id=model_id)
    return None if row is None else _model(row)


async def all_models(tx: Tx) -> list[Model]:
    return [_model(row) for row in await Q.all_models(tx)]


async def nameable(tx: Tx) -> list[tuple[str, str, str]]:
    """(artefact, name, status) of what a flow may name."""
    return [(row["artefact"], row["name"], row["status"]) for row in await Q.nameable(tx)]


def _model(row: Any) -> Model:
    return Model(**{name: row[name] for name in Model.__struct_fields__})


async def events(tx: Tx, model_id: str) -> list[Event]:
    return [Event(*row) for row in await Q.events(tx, id=model_id)]


async def move(tx: Tx, old: Model, new: Model, why: str) -> int | None:
    """Compare and set: the number of the act; None when somebody else was faster."""
    moved = await Q.move(
        tx, id=old.id, from_status=old.status, to_status=new.status, report=new.report, tested_by=new.tested_by,
        reviewed_by=new.reviewed_by, approved_by=new.approved_by, who=tx.actor.id, why=why, now=tx.now,
    )  # fmt: skip
    return None if moved is None else int(moved)


async def add_report(tx: Tx, model: Model, seq: int, drawn: Drawn) -> None:
    await Q.add_report(tx, model_id=model.id, seq=seq, report=model.report, html=drawn.html, pdf=drawn.pdf)


async def report_file(tx: Tx, model_id: str, seq: int) -> Drawn | None:
    row = await Q.report_file(tx, model_id=model_id, seq=seq)
    return None if row is None else Drawn(row["html"], row["pdf"])


async def report_numbers(tx: Tx, model_id: str) -> list[int]:
    return [row["seq"] for row in await Q.report_numbers(tx, model_id=model_id)]


async def propose_line_up(
    tx: Tx, family: str, champion: str | None, challenger: str | None, share_bp: int, why: str
) -> str | None:
    """The proposal's id; None when one of the two may not decide, or another proposal waits."""
    new = ids.new()
    added = await Q.propose_line_up(
        tx, id=new, family=family, champion=champion, challenger=challenger, share_bp=share_bp, why=why,
        who=tx.actor.id, now=tx.now,
    )  # fmt: skip
    return None if added is None else new


async def proposal(tx: Tx, proposal_id: str) -> Proposal | None:
    row = await Q.proposal(tx, id=proposal_id)
    return None if row is None else _proposal(row)


async def proposals(tx: Tx) -> list[Proposal]:
    return [_proposal(row) for row in await Q.proposals(tx)]


def _proposal(row: Any) -> Proposal:
    return Proposal(**{name: row[name] for name in Proposal.__struct_fields__})


async def agree_line_up(tx: Tx, proposal_id: str, answer: str) -> int | None:
    return await _begun(Q.agree_line_up(tx, id=proposal_id, who=tx.actor.id, answer=answer, now=tx.now))


async def _begun(asked: Awaitable[Any]) -> int | None:
    """The number of a line-up that begins; None also where one of its models was retired a moment ago."""
    try:
        found = await asked
    except asyncpg.RestrictViolationError:
        return None
    return None if found is None else int(found)


async def refuse_line_up(tx: Tx, proposal_id: str, answer: str) -> bool:
    return bool(await Q.refuse_line_up(tx, id=proposal_id, who=tx.actor.id, answer=answer, now=tx.now))


async def withdraw_line_up(tx: Tx, proposal_id: str, answer: str) -> bool:
    return bool(await Q.withdraw_line_up(tx, id=proposal_id, who=tx.actor.id, answer=answer, now=tx.now))


async def back_line_up(tx: Tx, family: str, why: str) -> int | None:
    return await _begun(Q.back_line_up(tx, family=family, who=tx.actor.id, why=why, now=tx.now))


async def line_ups(tx: Tx, family: str) -> list[LineUp]:
    return [LineUp(*row) for row in await Q.line_ups(tx, family=family)]


class Deciding(msgspec.Struct, frozen=True):
    """A line-up with the artefacts of those who are in use; None where one is not (any more)."""

    line_up: LineUp
    champion: str | None
    challenger: str | None


async def line_up(tx: Tx, family: str) -> Deciding | None:
    async def ask() -> Deciding | None:
        row = await Q.line_up(tx, family=family)
        if row is None:
            return None
        found = LineUp(*(row[name] for name in LineUp.__struct_fields__))
        return Deciding(found, row["champion_artefact"], row["challenger_artefact"])

    return await reference.kept(tx, "models", "line-up", family, ask=ask)


async def deciding_for(tx: Tx, model_id: str) -> list[str]:
    return [row["family"] for row in await Q.deciding_for(tx, id=model_id)]


async def named_by(tx: Tx, model_id: str) -> list[tuple[str, str, int | None]]:
    """(stage, product, number of the version) of strategies that cannot do without this model."""
    return [(row["stage"], row["product_code"], row["number"]) for row in await Q.named_by(tx, id=model_id)]


class InUse(msgspec.Struct, frozen=True):
    id: str
    family: str
    artefact: str
    owner: str
    report: dict[str, Any] | None


async def in_use(tx: Tx, statuses: Sequence[str]) -> list[InUse]:
    return [InUse(*row) for row in await Q.in_use(tx, statuses=list(statuses))]


async def for_batches(tx: Tx) -> list[InUse]:
    return [InUse(*row) for row in await Q.for_batches(tx)]


async def tested(tx: Tx, artefact: str) -> InUse | None:
    row = await Q.tested(tx, artefact=artefact)
    return None if row is None else InUse(*row)


async def add_shadow_score(tx: Tx, decision_id: str, model_id: str, score: int | None, error: str) -> None:
    await Q.add_shadow_score(
        tx, institution_id=tx.institution_id, decision_id=decision_id, model_id=model_id, score=score,
        error=error, now=tx.now,
    )  # fmt: skip


async def add_observation(
    tx: Tx, decision_id: str, model_hash: str, bins: dict[str, int], proposed: bool
) -> None:
    await Q.add_observation(
        tx, institution_id=tx.institution_id, decision_id=decision_id, model_hash=model_hash, bins=bins,
        proposed=proposed, now=tx.now,
    )  # fmt: skip


async def add_named_observation(
    tx: Tx, decision_id: str, model_hash: str, score: int, bins: dict[str, int], proposed: bool
) -> None:
    await Q.add_named_observation(
        tx, institution_id=tx.institution_id, decision_id=decision_id, model_hash=model_hash, score=score,
        bins=bins, proposed=proposed, now=tx.now,
    )  # fmt: skip


async def named_lately(tx: Tx, since: datetime) -> list[str]:
    return [row["model_hash"] for row in await Q.named_lately(tx, since=since)]


async def decided_by(tx: Tx, decision_id: str) -> str | None:
    found: str | None = await Q.decided_by(tx, institution_id=tx.institution_id, decision_id=decision_id)
    return found


async def bins(tx: Tx, model_hash: str, since: datetime) -> list[tuple[str, str, int, int]]:
    """(institution, feature, bin, cases); needs a union-wide reader."""
    rows = await Q.bins(tx, model_hash=model_hash, since=since)
    return [(row["institution_id"], row["feature"], row["bin"], row["cases"]) for row in rows]


async def keep_result(tx: Tx, day: date, result: Result) -> None:
    await Q.keep_result(
        tx, institution_id=tx.institution_id, day=day, model_hash=result.model_hash, measure=result.measure,
        subject=result.subject, value=result.value, level=result.level, cases=result.cases,
        details=result.details, now=tx.now,
    )  # fmt: skip


async def results(tx: Tx, model_hash: str, measure: str, since: date) -> list[Any]:
    rows = await Q.results(
        tx, institution_id=tx.institution_id, model_hash=model_hash, measure=measure, since=since
    )
    return list(rows)


async def sound(tx: Tx, day: date, result: Result, owner: str) -> None:
    await Q.sound(
        tx, institution_id=tx.institution_id, id=ids.new(), model_hash=result.model_hash, measure=result.measure,
        subject=result.subject, level=result.level, value=result.value, owner=owner, day=day,
    )  # fmt: skip


async def alarms(tx: Tx, statuses: Sequence[str]) -> list[Alarm]:
    rows = await Q.alarms(tx, institution_id=tx.institution_id, statuses=list(statuses))
    return [Alarm(**{name: _plain(row[name]) for name in Alarm.__struct_fields__}) for row in rows]


def _plain(value: Any) -> Any:
    """numeric comes as Decimal; a figure of a monitor is a float."""
    return float(value) if type(value).__name__ == "Decimal" else value


async def acknowledge(tx: Tx, alarm_id: str, note: str, false_alarm: bool) -> bool:
    answered = await Q.acknowledge(
        tx, institution_id=tx.institution_id, id=alarm_id, who=tx.actor.id, note=note, false_alarm=false_alarm,
        now=tx.now,
    )  # fmt: skip
    return answered is not None


async def alarm_exists(tx: Tx, alarm_id: str) -> bool:
    return bool(await Q.alarm_exists(tx, institution_id=tx.institution_id, id=alarm_id))


async def false_alarm_rate(tx: Tx, since: datetime) -> list[tuple[str, int, int]]:
    rows = await Q.false_alarm_rate(tx, institution_id=tx.institution_id, since=since)
    return [(row["measure"], row["answered"], row["false_ones"]) for row in rows]


async def usage(tx: Tx, model_hash: str, since: datetime) -> list[tuple[str, int, datetime]]:
    """(institution, cases, last at); a county's reader sees its own row only."""
    rows = await Q.usage(tx, model_hash=model_hash, since=since)
    return [(row["institution_id"], row["cases"], row["last_at"]) for row in rows]
