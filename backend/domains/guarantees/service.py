"""What other code may ask about guarantees. Every change writes its audit row; the case's event is the flow's."""

import hashlib
from datetime import date, datetime
from typing import Any

import asyncpg

from backend.core import clock, ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.guarantees import terms as guarantee_terms
from backend.domains.guarantees.model import (
    GUARANTEE,
    OPEN,
    AlreadyGuarantor,
    Exposure,
    Guarantee,
    GuaranteeMoved,
    LinkGone,
    NoMoreWanted,
)
from backend.domains.guarantees.terms import Terms

Q = queries.load(__package__)

TABLE = "guarantees.guarantees"


async def invite(
    tx: Tx,
    *,
    guarantee_id: str,
    token: str,
    application_id: str,
    borrower_id: str,
    amount_fen: int,
    line_until: date,
    until_on: date,
    expires_at: datetime,
    wanted: int,
) -> Guarantee:
    """A link for one person more; only its hash is kept. The caller holds the application's row, so that two taps
    cannot ask for more than `wanted`. Raises `NoMoreWanted`."""
    standing = [each for each in await of_application(tx, application_id) if _counts(each, tx.now)]
    if len(standing) >= wanted:
        raise NoMoreWanted()
    await Q.invite(
        tx,
        institution_id=tx.institution_id,
        id=guarantee_id,
        application_id=application_id,
        borrower_id=borrower_id,
        token_hash=_hash(token),
        amount=money.yuan(amount_fen),
        line_until=line_until,
        until_on=until_on,
        expires_at=expires_at,
        now=tx.now,
    )
    audit.add(tx, "guarantee.invited", guarantee_id, application=application_id)
    return await get(tx, guarantee_id)


async def stands_or_proved(tx: Tx, person_id: str) -> bool:
    """Whether this person answers for somebody, or has shown their face on the way to it."""
    return bool(await Q.stands_or_proved(tx, institution_id=tx.institution_id, guarantor_id=person_id))


async def other_stands(tx: Tx, guarantee: Guarantee) -> bool:
    """Whether the same person answers for another one, or has agreed to be asked about on the way to it."""
    given = {"institution_id": tx.institution_id, "id": guarantee.id}
    return bool(await Q.other_stands(tx, guarantor_id=guarantee.guarantor_id, **given))


def new_id() -> str:
    """The id is made before the row, because the link is made of it."""
    return ids.new()


async def get(tx: Tx, guarantee_id: str, *, lock: bool = False) -> Guarantee:
    """Raises `LinkGone` for an unknown id and for one of another institution alike."""
    ask = Q.get_locked if lock else Q.get
    found = ids.is_uuid(guarantee_id) and await ask(tx, institution_id=tx.institution_id, id=guarantee_id)
    if not found:
        raise LinkGone()
    return _guarantee(found)


async def by_token(tx: Tx, token: str) -> Guarantee:
    """Raises `LinkGone`."""
    row = await Q.by_token(tx, institution_id=tx.institution_id, token_hash=_hash(token))
    if row is None:
        raise LinkGone()
    return _guarantee(row)


async def of_session(tx: Tx, session_id: str) -> Guarantee | None:
    row = await Q.of_session(tx, institution_id=tx.institution_id, session_id=session_id)
    return None if row is None else _guarantee(row)


async def of_application(tx: Tx, application_id: str) -> list[Guarantee]:
    rows = await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    return [_guarantee(row) for row in rows]


async def of_guarantor(tx: Tx, guarantor_id: str) -> list[Guarantee]:
    """The newest first: given, released, or asked of somebody who has proved their phone. What came to nothing, and
    what whoever holds their card began, is not theirs to be told of."""
    rows = await Q.of_guarantor(tx, institution_id=tx.institution_id, guarantor_id=guarantor_id)
    return [_guarantee(row) for row in rows]


async def confirmed(tx: Tx, application_id: str) -> list[Guarantee]:
    return [each for each in await of_application(tx, application_id) if each.status == "confirmed"]


async def open_up(tx: Tx, guarantee: Guarantee, session_id: str) -> None:
    """A browser takes the link up. Raises `GuaranteeMoved` when another one was first, or its day is over."""
    await _moved(
        await Q.open_up(
            tx, institution_id=tx.institution_id, id=guarantee.id, session_id=session_id, now=tx.now
        )
    )
    audit.add(tx, "guarantee.opened", guarantee.id)


async def set_guarantor(tx: Tx, guarantee: Guarantee, guarantor_id: str) -> None:
    """Raises `AlreadyGuarantor` for somebody who answers for this case by another link."""
    try:
        touched = await Q.set_guarantor(
            tx, institution_id=tx.institution_id, id=guarantee.id, guarantor_id=guarantor_id, now=tx.now
        )
    except asyncpg.UniqueViolationError as cause:
        raise AlreadyGuarantor() from cause
    await _moved(touched)
    audit.add(tx, "guarantee.identified", guarantee.id)


async def reach(tx: Tx, guarantee: Guarantee, step: str) -> None:
    given = {"institution_id": tx.institution_id, "id": guarantee.id, "now": tx.now}
    await _moved(await Q.reach(tx, **given, from_step=guarantee.step, to_step=step))


async def sent_to_face(tx: Tx, guarantee: Guarantee, liveness_session: str) -> None:
    given = {"institution_id": tx.institution_id, "id": guarantee.id, "now": tx.now}
    await _moved(await Q.set_liveness_session(tx, **given, liveness_session=liveness_session))


async def pass_liveness(tx: Tx, guarantee: Guarantee, how: str) -> None:
    """passed: the provider saw the face; seen: a person looked at card and face (D3-13)."""
    given = {"institution_id": tx.institution_id, "id": guarantee.id, "now": tx.now}
    await _moved(await Q.pass_liveness(tx, **given, liveness=how))
    audit.add(tx, "guarantee.liveness", guarantee.id, result=how)


async def confirm(
    tx: Tx, guarantee: Guarantee, terms: Terms, *, shown_at: datetime, required_seconds: int
) -> None:
    """The guarantor's word. Raises `GuaranteeMoved` when it was withdrawn or ran out meanwhile."""
    touched = await Q.confirm(
        tx,
        institution_id=tx.institution_id,
        id=guarantee.id,
        terms_version=terms.version,
        terms_sha256=bytes.fromhex(terms.sha256),
        terms=tx.vault.seal(TABLE, "terms", guarantee.id, terms.source.encode()),
        shown_at=shown_at,
        required_seconds=required_seconds,
        now=tx.now,
    )
    await _moved(touched)
    audit.add(tx, "guarantee.confirmed", guarantee.id, application=guarantee.application_id)


async def promised(tx: Tx, guarantee: Guarantee) -> Terms | None:
    """The very words that were confirmed, for the guarantor to read again; None before, and when they were
    forgotten."""
    sealed = await Q.confirmed_words(tx, institution_id=tx.institution_id, id=guarantee.id)
    if not sealed or guarantee.terms_version is None:
        return None
    text = tx.vault.open(TABLE, "terms", guarantee.id, sealed).decode()
    return guarantee_terms.told(text, guarantee.terms_version)


async def end(tx: Tx, guarantee: Guarantee, status: str, why: str) -> None:
    """Refused, withdrawn, expired or released; `why` is a code of `REASONS`. Raises `ForbiddenMove`,
    `GuaranteeMoved`."""
    GUARANTEE.check(guarantee.status, status)
    touched = await Q.end_(
        tx,
        institution_id=tx.institution_id,
        id=guarantee.id,
        from_status=guarantee.status,
        to_status=status,
        why=why,
        now=tx.now,
    )
    await _moved(touched)
    audit.add(tx, f"guarantee.{status}", guarantee.id, application=guarantee.application_id, why=why)


async def close(tx: Tx, application_id: str) -> list[Guarantee]:
    """The case ended without a contract that holds: open links go, given guarantees are released. Returns which."""
    ended = [each for each in await of_application(tx, application_id) if each.ended_at is None]
    for each in ended:
        await end(tx, each, "withdrawn" if each.status in OPEN else "released", "case_ended")
    return ended


async def hold_confirming(tx: Tx) -> None:
    """No other confirmation of the institution until this transaction ends: what is read then still stands."""
    await Q.lock_confirming(tx, institution_id=tx.institution_id)


async def comes_back(tx: Tx, guarantor_id: str, borrower_id: str) -> bool:
    """Whether the borrower answers for the guarantor, straight or over others (互相担保)."""
    given = {"institution_id": tx.institution_id, "today": clock.local(tx.now).date()}
    return bool(await Q.comes_back(tx, guarantor_id=guarantor_id, borrower_id=borrower_id, **given))


async def exposure(tx: Tx, guarantor_id: str, *, but_for: str | None = None) -> Exposure:
    """What a person answers for, borrowers beside `but_for`."""
    row = await Q.exposure(
        tx,
        institution_id=tx.institution_id,
        guarantor_id=guarantor_id,
        but_for=but_for,
        today=clock.local(tx.now).date(),
    )
    return Exposure(row["borrowers"], money.fen(row["amount"]))


async def lapsed(tx: Tx, most: int) -> list[tuple[str, str]]:
    """(institution, guarantee) of links whose day is over; for a union-wide reader."""
    rows = await Q.lapsed(tx, now=tx.now, most=most)
    return [(row["institution_id"], row["id"]) for row in rows]


def _counts(guarantee: Guarantee, now: datetime) -> bool:
    return guarantee.status == "confirmed" or (guarantee.status in OPEN and not guarantee.over(now))


async def _moved(touched: int) -> None:
    if not touched:
        raise GuaranteeMoved()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _guarantee(row: Any) -> Guarantee:
    values = dict(row)
    return Guarantee(amount_fen=money.fen(values.pop("amount")), **values)


async def asked_of(tx: Tx, person_id: str) -> list[tuple[str, str]]:
    """(guarantee, application) of everything a person was asked to answer for."""
    rows = await Q.asked_of(tx, institution_id=tx.institution_id, guarantor_id=person_id)
    return [(row["id"], row["application_id"]) for row in rows]


async def forget(tx: Tx, person_id: str) -> None:
    """The words of guarantees that came to nothing, once one of the two is erased: they name both."""
    await Q.forget(tx, institution_id=tx.institution_id, person_id=person_id)
