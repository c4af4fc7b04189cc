"""贷后预警: what the nights said of a line, the act it asks for, who does it and what came of it (A6-06).

At most one stands for a line at a time. A later night can raise it, never lower it: a person clears it, with what
they did and found. While one stands, `level` holds further drawdowns back as the drawdown strategy says.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.core.actor import Actor
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.post_loan.model import (
    ACTIONS,
    NO_WARNING,
    OBSERVED,
    AnswerInvalid,
    FreezeNotYours,
    Warning,
    WarningAnswered,
    WarningMissing,
)

Q = queries.load(__package__, "queries_warnings.sql")
_TABLE = "post_loan.warnings"
SHORTEST = 4  # characters of what was done
FINDINGS = {"false_alarm": "误报，没有问题", "handled": "有问题，已经处理好", "stands": "有问题，措施先保留"}
LIFTERS = ("reviewer", "county_admin")
"""Who may lift a freeze; the officer of the line may not, since they live by it being used."""
_ORDER = list(ACTIONS)


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What one night says of one line; `owner_id` None where no officer looks after it."""

    application_id: str
    customer_id: str
    owner_id: str | None
    action: str
    codes: tuple[str, ...]
    said: str
    assessment_id: str


class Count(msgspec.Struct, frozen=True):
    """Warnings of one action: all of a time, those answered, and the false alarms among these."""

    action: str
    raised: int
    answered: int
    false_alarms: int

    @property
    def false_alarm_bp(self) -> int | None:
        """None before any was answered."""
        return self.false_alarms * 10_000 // self.answered if self.answered else None


async def level(tx: Tx, customer_id: str) -> str:
    """The strictest action that stands for any line of a customer; `none` without one."""
    standing = {
        row["action"]
        for row in await Q.standing(tx, institution_id=tx.institution_id, customer_id=customer_id)
    }
    return max(standing, key=_ORDER.index, default=NO_WARNING)


async def signalled(tx: Tx, signal: Signal, on: date, due_on: date, quiet_since: date) -> Warning | None:
    """A night's word on a line: raise a warning, or raise the one that stands. None where nothing new is to be done:
    it stands already, or a person cleared the very same since `quiet_since`."""
    current = await _of_application(tx, signal.application_id)
    if current is None:
        cleared = await Q.cleared_since(
            tx,
            institution_id=tx.institution_id,
            application_id=signal.application_id,
            since=quiet_since,
            actions=_ORDER[_ORDER.index(signal.action) :],
            codes=list(signal.codes),
        )
        return None if cleared else await _raise(tx, signal, on, due_on)
    stricter = _ORDER.index(signal.action) > _ORDER.index(current.action)
    if not stricter and set(signal.codes) <= set(current.codes):
        await Q.seen(tx, institution_id=tx.institution_id, id=current.id, on=on)
        return None
    return await _sharpen(tx, current, signal, on, due_on if stricter else current.due_on)


async def _raise(tx: Tx, signal: Signal, on: date, due_on: date) -> Warning:
    number = ids.new()
    await Q.insert(
        tx,
        institution_id=tx.institution_id,
        id=number,
        application_id=signal.application_id,
        customer_id=signal.customer_id,
        owner_id=signal.owner_id,
        action=signal.action,
        codes=list(signal.codes),
        said=tx.vault.encrypt(_TABLE, "said", number, signal.said),
        assessment_id=signal.assessment_id,
        on=on,
        due_on=due_on,
    )
    audit.add(tx, "warning.raised", number, level=signal.action, codes=list(signal.codes))
    return await get(tx, number)


async def _sharpen(tx: Tx, current: Warning, signal: Signal, on: date, due_on: date) -> Warning:
    action = max(signal.action, current.action, key=_ORDER.index)
    await Q.sharpen(
        tx,
        institution_id=tx.institution_id,
        id=current.id,
        action=action,
        codes=sorted({*current.codes, *signal.codes}),
        said=tx.vault.encrypt(_TABLE, "said", current.id, signal.said),
        assessment_id=signal.assessment_id,
        raised_on=on if action != current.action else current.raised_on,
        on=on,
        due_on=due_on,
    )
    audit.add(tx, "warning.raised", current.id, level=action, codes=list(signal.codes))
    return await get(tx, current.id)


async def get(tx: Tx, warning_id: str) -> Warning:
    """Raises `WarningMissing`."""
    row = None
    if ids.is_uuid(warning_id):
        row = await Q.get(tx, institution_id=tx.institution_id, id=warning_id)
    if row is None:
        raise WarningMissing()
    return _warning(tx, row)


async def of_owner(tx: Tx, owner_id: str, most: int = 100) -> list[Warning]:
    """An officer's open ones, the most urgent first."""
    rows = await Q.of_owner(tx, institution_id=tx.institution_id, owner_id=owner_id, most=most)
    return [_warning(tx, row) for row in rows]


async def hand_over(tx: Tx, from_officer: str, to_officer: str) -> int:
    """What stands of one officer's warnings goes to another; how many."""
    moved: int = await Q.hand_over(
        tx, institution_id=tx.institution_id, from_officer=from_officer, to_officer=to_officer
    )
    return moved


async def listed(tx: Tx, statuses: Sequence[str], most: int = 100, skipped: int = 0) -> list[Warning]:
    """A county's, the most urgent first."""
    rows = await Q.listed(
        tx, institution_id=tx.institution_id, statuses=list(statuses), most=most, skipped=skipped
    )
    return [_warning(tx, row) for row in rows]


async def totals(tx: Tx) -> dict[str, int]:
    """How many are open, and how many stand with their measure."""
    rows = await Q.totals(tx, institution_id=tx.institution_id)
    return {"open": 0, "standing": 0} | {row["status"]: row["warnings"] for row in rows}


async def answer(tx: Tx, warning: Warning, finding: str, done: str, observed: str = "") -> Warning:
    """What was done and found (one of `FINDINGS`), and what was seen besides (one of `OBSERVED`, or empty).

    Raises `AnswerInvalid`, `FreezeNotYours`, `WarningAnswered`.
    """
    fields = {}
    if finding not in FINDINGS:
        fields["finding"] = "请选结论"
    if observed and observed not in OBSERVED:
        fields["observed"] = "请选一项，或不选"
    if len(done.strip()) < SHORTEST:
        fields["done"] = "请写明做了什么、看到什么，至少四个字"
    if fields:
        raise AnswerInvalid(fields=fields)
    if finding not in dict(findings_for(warning, tx.actor)):
        raise FreezeNotYours() if warning.status == "open" else WarningAnswered()
    status = "standing" if finding == "stands" else "cleared"
    if not await Q.answer(
        tx,
        institution_id=tx.institution_id,
        id=warning.id,
        action=warning.action,
        status=status,
        false_alarm=None if status == "standing" else finding == "false_alarm",
        observed=observed or None,
        done=tx.vault.encrypt(_TABLE, "done", warning.id, done.strip()),
        answered_by=str(tx.actor),
        now=tx.now,
    ):
        raise WarningAnswered()
    audit.add(tx, f"warning.{status}", warning.id, finding=finding)
    return await get(tx, warning.id)


def findings_for(warning: Warning, actor: Actor) -> tuple[tuple[str, str], ...]:
    """The findings a person may choose: an officer does not lift a freeze."""
    lifts = warning.action != "freeze" or actor.has(*LIFTERS)
    kept = warning.status == "open"
    return tuple((key, label) for key, label in FINDINGS.items() if (kept if key == "stands" else lifts))


async def counts(tx: Tx, since: date) -> list[Count]:
    """By action, of warnings raised since: how many, and how many of the answered were false alarms."""
    rows = await Q.counts(tx, institution_id=tx.institution_id, since=since)
    found = {row["action"]: Count(*row) for row in rows}
    return [found[action] for action in ACTIONS if action in found]


class Raised(msgspec.Struct, frozen=True):
    """`raised_on`: when the warning reached this action; a milder one before it is not kept apart."""

    application_id: str
    action: str
    raised_on: date


async def raised_between(tx: Tx, since: date, until: date) -> list[Raised]:
    rows = await Q.raised_between(tx, institution_id=tx.institution_id, since=since, until=until)
    return [Raised(*row) for row in rows]


async def observed(tx: Tx, application_id: str) -> tuple[str, datetime] | None:
    """What a person saw last of a line, and when; None where the last answer saw nothing, or there is none."""
    row = await Q.last_observed(tx, institution_id=tx.institution_id, application_id=application_id)
    return (row["observed"], row["answered_at"]) if row and row["observed"] else None


async def _of_application(tx: Tx, application_id: str) -> Warning | None:
    row = await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    return _warning(tx, row) if row else None


def _warning(tx: Tx, row: Any) -> Warning:
    values = dict(row)
    for column in ("said", "done"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    del values["institution_id"]
    return Warning(**values | {"codes": tuple(values["codes"])})
