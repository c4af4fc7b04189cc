"""催收案件: one case a line while something is overdue (A6-07, D5-01…D5-05).

The nightly plan comes from the strategy; whether a contact may happen at a moment is asked anew at that moment. Only
the debtor is contacted: nobody else's number is in here (D5-03). "Do not contact" is for good.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from backend.core import clock, ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.post_loan.model import (
    SEGMENTS,
    AnswerInvalid,
    CollectionCase,
    CollectionMissing,
    Contact,
    ContactNote,
)

Q = queries.load(__package__, "queries_collections.sql")
_CASES, _NOTES = "post_loan.collection_cases", "post_loan.contact_notes"
SHORTEST = 4  # characters of what came of a contact


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one night says of an overdue line."""

    application_id: str
    customer_id: str
    owner_id: str | None
    days_past_due: int
    balance_fen: int
    action: str
    channel: str
    said: str
    assessment_id: str
    next_on: date
    challenge_id: str | None = None
    arm: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a contact, as the officer says."""

    note: str
    segment: str
    promise_on: date | None
    disputed: bool
    do_not_contact: bool


async def of_application(tx: Tx, application_id: str) -> CollectionCase | None:
    """The open case of a line."""
    row = await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    return _case(tx, row) if row else None


async def get(tx: Tx, case_id: str) -> CollectionCase:
    """Raises `CollectionMissing`."""
    row = await Q.get(tx, institution_id=tx.institution_id, id=case_id) if ids.is_uuid(case_id) else None
    if row is None:
        raise CollectionMissing()
    return _case(tx, row)


async def of_owner(tx: Tx, owner_id: str, on: date, most: int = 100) -> list[CollectionCase]:
    """An officer's cases that have their turn by a day, the longest overdue first."""
    rows = await Q.of_owner(tx, institution_id=tx.institution_id, owner_id=owner_id, on=on, most=most)
    return [_case(tx, row) for row in rows]


async def hand_over(tx: Tx, from_officer: str, to_officer: str) -> int:
    """One officer's open cases go to another; how many."""
    moved: int = await Q.hand_over(
        tx, institution_id=tx.institution_id, from_officer=from_officer, to_officer=to_officer
    )
    return moved


async def planned(tx: Tx, plan: Plan, on: date) -> CollectionCase:
    """Tonight's plan: opens the case or goes on with it. A next day already set is not brought forward, and the side
    of a challenge it was opened on stays."""
    current = await of_application(tx, plan.application_id)
    number = current.id if current else ids.new()
    values = msgspec.structs.asdict(plan)
    values |= {
        "balance": money.yuan(values.pop("balance_fen")),
        "said": tx.vault.encrypt(_CASES, "said", number, plan.said),
    }
    if current is None:
        await Q.insert(tx, institution_id=tx.institution_id, id=number, on=on, **values)
        audit.add(tx, "collection.opened", number, days=plan.days_past_due, arm=plan.arm)
    else:
        for kept in ("application_id", "customer_id", "challenge_id", "arm"):
            del values[kept]
        await Q.replan(tx, institution_id=tx.institution_id, id=number, **values)
    return await get(tx, number)


async def close(tx: Tx, case: CollectionCase, on: date) -> None:
    """Nothing is overdue any more."""
    await Q.close(tx, institution_id=tx.institution_id, id=case.id, on=on)
    audit.add(tx, "collection.closed", case.id)


async def lock_debtor(tx: Tx, customer_id: str) -> None:
    """Until the transaction ends nobody else contacts this debtor."""
    await Q.lock_debtor(tx, customer_id=customer_id)


async def calls_since(tx: Tx, customer_id: str, since: datetime) -> int:
    """Calls of a debtor since then, over all lines and officers (D5-02)."""
    return int(
        await Q.calls_since(tx, institution_id=tx.institution_id, customer_id=customer_id, since=since)
    )


async def contacted(
    tx: Tx,
    case: CollectionCase,
    channel: str,
    held: list[str],
    assessment_id: str,
    *,
    notice_key: str | None = None,
) -> None:
    """A contact that was let happen, or was held back and why. `notice_key`: of the notice that tells a reminder."""
    await Q.contacted(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        case_id=case.id,
        customer_id=case.customer_id,
        channel=channel,
        held=held,
        assessment_id=assessment_id,
        by_whom=str(tx.actor),
        notice_key=notice_key,
        now=tx.now,
    )
    audit.add(tx, "collection.held" if held else "collection.contacted", case.id, channel=channel, held=held)


async def pace(tx: Tx, case: CollectionCase, next_on: date) -> None:
    """Contacted: not again before that day."""
    await Q.pace(tx, institution_id=tx.institution_id, id=case.id, next_on=next_on)


async def let_go(tx: Tx, notice_key: str) -> bool:
    """Whether the reminder a notice tells was let go already."""
    return bool(await Q.let_go(tx, institution_id=tx.institution_id, notice_key=notice_key))


async def messages_since(tx: Tx, customer_id: str, since: datetime) -> int:
    """Reminders of a debtor since then, over all lines."""
    return int(
        await Q.messages_since(tx, institution_id=tx.institution_id, customer_id=customer_id, since=since)
    )


async def contacts(tx: Tx, case_id: str, most: int = 50) -> list[Contact]:
    """What was done and what was held back, the newest first."""
    rows = await Q.contacts(tx, institution_id=tx.institution_id, case_id=case_id, most=most)
    return [Contact(**dict(row) | {"held": tuple(row["held"])}) for row in rows]


async def record(tx: Tx, case: CollectionCase, outcome: Outcome) -> None:
    """What came of it. Who asked once not to be contacted stays so. Raises `AnswerInvalid`."""
    fields = {}
    if outcome.segment not in SEGMENTS:
        fields["segment"] = "请选客户的情况"
    if len(outcome.note.strip()) < SHORTEST:
        fields["note"] = "请写明说了什么，至少四个字"
    if outcome.promise_on is not None and outcome.promise_on < clock.local(tx.now).date():
        fields["promise_on"] = "承诺的日子不能早于今天"
    if fields:
        raise AnswerInvalid(fields=fields)
    number, silent = ids.new(), outcome.do_not_contact or case.do_not_contact
    state = {
        "segment": outcome.segment,
        "promise_on": outcome.promise_on,
        "disputed": outcome.disputed,
        "do_not_contact": silent,
    }
    await Q.add_note(
        tx,
        institution_id=tx.institution_id,
        id=number,
        case_id=case.id,
        note=tx.vault.encrypt(_NOTES, "note", number, outcome.note.strip()),
        by_whom=str(tx.actor),
        now=tx.now,
        **state,
    )
    await Q.set_state(tx, institution_id=tx.institution_id, id=case.id, **state)
    audit.add(tx, "collection.recorded", case.id, segment=outcome.segment, do_not_contact=silent)


async def notes(tx: Tx, case_id: str) -> list[ContactNote]:
    """The newest first."""
    rows = await Q.notes(tx, institution_id=tx.institution_id, case_id=case_id)
    return [
        ContactNote(
            note=tx.vault.decrypt(_NOTES, "note", row["id"], row["note"]),
            segment=row["segment"],
            promise_on=row["promise_on"],
            at=row["at"],
        )
        for row in rows
    ]


def _case(tx: Tx, row: Any) -> CollectionCase:
    values = dict(row)
    values["balance_fen"] = money.fen(Decimal(values.pop("balance")))
    values["said"] = tx.vault.decrypt(_CASES, "said", values["id"], values["said"])
    del values["institution_id"]
    return CollectionCase(**values)
