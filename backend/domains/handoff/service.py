"""Tickets into the mobile bank: issued to a customer, burned once in SQL."""

import secrets

import asyncpg

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.handoff.model import (
    CODE_ALPHABET,
    CODE_LENGTH,
    CODE_LIFE,
    CODE_TRIES,
    TOKEN_LIFE,
    AlreadyRedeemed,
    CodeUnknown,
    Ticket,
    TokenExpired,
    TokenUnknown,
)

Q = queries.load(__package__)

_INDEX = "handoff short code"


async def issue_token(tx: Tx, application_id: str) -> Ticket:
    """A ticket whose id becomes the jti of a token."""
    return await _issue(tx, application_id, "token", None)


async def issue_code(tx: Tx, application_id: str) -> tuple[Ticket, str]:
    """A ticket with an eight-character code; earlier codes of the case end. The code itself is not stored."""
    await Q.end_codes(tx, institution_id=tx.institution_id, application_id=application_id, now=tx.now)
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return await _issue(tx, application_id, "short_code", tx.vault.blind(_INDEX, code)), code


async def find_by_code(tx: Tx, typed: str) -> Ticket:
    """The ticket of a code as a person typed it; needs a union-wide reader. Raises `CodeUnknown`."""
    code = "".join(typed.split()).replace("-", "").upper()
    rows = await Q.by_code(tx, code_index=tx.vault.blind(_INDEX, code))
    if len(rows) != 1:
        raise CodeUnknown()
    return Ticket(**dict(rows[0]))


async def count_try(tx: Tx, ticket: Ticket) -> None:
    await Q.count_try(tx, institution_id=tx.institution_id, id=ticket.id)
    audit.add(tx, "handoff.wrong_person", ticket.application_id, ticket=ticket.id)


async def burn(tx: Tx, ticket_id: str) -> Ticket:
    """Use a ticket up. Raises `TokenUnknown`, `TokenExpired` or `AlreadyRedeemed`."""
    burned = await Q.burn(tx, institution_id=tx.institution_id, id=ticket_id, now=tx.now)
    row = await Q.get(tx, institution_id=tx.institution_id, id=ticket_id)
    if row is None:
        raise TokenUnknown()
    ticket = Ticket(**dict(row))
    if not burned:
        raise AlreadyRedeemed() if ticket.redeemed_at else TokenExpired()
    if ticket.kind == "short_code" and ticket.tries >= CODE_TRIES:
        raise CodeUnknown()
    audit.add(tx, "handoff.redeemed", ticket.application_id, ticket=ticket.id, kind=ticket.kind)
    return ticket


async def _issue(tx: Tx, application_id: str, kind: str, code_index: bytes | None) -> Ticket:
    ticket_id = ids.new()
    life = TOKEN_LIFE if code_index is None else CODE_LIFE
    try:
        await Q.issue(
            tx,
            institution_id=tx.institution_id,
            id=ticket_id,
            application_id=application_id,
            kind=kind,
            code_index=code_index,
            expires_at=tx.now + life,
            now=tx.now,
        )
    except asyncpg.ForeignKeyViolationError as cause:
        raise TokenUnknown() from cause
    audit.add(tx, "handoff.issued", application_id, ticket=ticket_id, kind=kind)
    row = await Q.get(tx, institution_id=tx.institution_id, id=ticket_id)
    return Ticket(**dict(row))


async def forget(tx: Tx, application_ids: list[str]) -> None:
    """For cases that ended without a loan: the ways into the bank that were given out."""
    await Q.forget(tx, institution_id=tx.institution_id, applications=application_ids)
