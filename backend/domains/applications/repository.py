"""One function per query; seals and opens what is personal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.applications.model import Application, Capture, Declared, Event

Q = queries.load(__package__)

_TABLE, _CAPTURES = "applications.applications", "applications.captures"


def _application(tx: Tx, row: Any) -> Application | None:
    return None if row is None else read(tx, row)


def read(tx: Tx, row: Any) -> Application:
    """Of a row that has the table's columns, and may have others."""
    values = {name: row[name] for name in Application.__struct_fields__}
    sealed = values["declared"]
    values["declared"] = (
        msgspec.json.decode(tx.vault.open(_TABLE, "declared", values["id"], sealed), type=Declared)
        if sealed
        else Declared()
    )
    return Application(**values)


def _applications(tx: Tx, rows: Any) -> list[Application]:
    return [found for row in rows if (found := _application(tx, row)) is not None]


def _capture(tx: Tx, row: Any) -> Capture | None:
    if row is None:
        return None
    values = dict(row)
    for column in ("reading", "confirmed"):
        if values[column] is not None:
            values[column] = msgspec.json.decode(
                tx.vault.open(_CAPTURES, column, values["id"], values[column])
            )
    return Capture(**values)


async def next_number(tx: Tx) -> int:
    return int(await Q.next_number(tx))


async def insert(tx: Tx, **values: object) -> None:
    await Q.insert(tx, institution_id=tx.institution_id, now=tx.now, **values)


async def get(tx: Tx, application_id: str, *, lock: bool = False) -> Application | None:
    query = Q.lock if lock else Q.get
    return _application(tx, await query(tx, institution_id=tx.institution_id, id=application_id))


async def by_number(tx: Tx, application_no: str) -> Application | None:
    row = await Q.by_number(tx, institution_id=tx.institution_id, application_no=application_no)
    return _application(tx, row)


async def numbers(tx: Tx, application_ids: list[str]) -> dict[str, str]:
    rows = await Q.numbers(tx, institution_id=tx.institution_id, ids=application_ids)
    return {row["id"]: row["application_no"] for row in rows}


async def institution_of_number(tx: Tx, application_no: str) -> str | None:
    found: str | None = await Q.institution_of_number(tx, application_no=application_no)
    return found


async def open_of_customer(tx: Tx, customer_id: str, product_code: str) -> Application | None:
    row = await Q.open_of_customer(
        tx, institution_id=tx.institution_id, customer_id=customer_id, product_code=product_code
    )
    return _application(tx, row)


async def of_customer(tx: Tx, customer_id: str) -> list[Application]:
    rows = await Q.of_customer(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return _applications(tx, rows)


async def of_openid(tx: Tx, openid: str) -> list[Application]:
    return _applications(tx, await Q.of_openid(tx, institution_id=tx.institution_id, openid=openid))


async def waiting_everywhere(tx: Tx, status: str, before: datetime, most: int) -> list[tuple[str, str]]:
    rows = await Q.waiting_everywhere(tx, status=status, before=before, most=most)
    return [(row["institution_id"], row["id"]) for row in rows]


async def set_customer(tx: Tx, application_id: str, customer_id: str) -> int:
    return int(
        await Q.set_customer(
            tx, institution_id=tx.institution_id, id=application_id, customer_id=customer_id, now=tx.now
        )
    )


async def set_session(tx: Tx, application_id: str, session_id: str, openid: str | None) -> None:
    await Q.set_session(
        tx,
        institution_id=tx.institution_id,
        id=application_id,
        session_id=session_id,
        openid=openid,
        now=tx.now,
    )


async def set_step(tx: Tx, application_id: str, step: str) -> int:
    return int(
        await Q.set_step(tx, institution_id=tx.institution_id, id=application_id, step=step, now=tx.now)
    )


async def set_liveness(tx: Tx, application_id: str, liveness: str) -> int:
    return int(
        await Q.set_liveness(
            tx, institution_id=tx.institution_id, id=application_id, liveness=liveness, now=tx.now
        )
    )


async def set_declared(tx: Tx, application_id: str, declared: Declared) -> int:
    return int(
        await Q.set_declared(
            tx,
            institution_id=tx.institution_id,
            id=application_id,
            now=tx.now,
            **_declared(tx, application_id, declared),
        )
    )


async def move(
    tx: Tx,
    application_id: str,
    old: str,
    new: str,
    event: str,
    why: str = "",
    promised_at: datetime | None = None,
    declared: Declared | None = None,
) -> Application | None:
    """As it is now; None when it stood elsewhere."""
    row = await Q.move(
        tx,
        institution_id=tx.institution_id,
        id=application_id,
        from_status=old,
        to_status=new,
        event=event,
        who=f"{tx.actor.kind}:{tx.actor.id}",
        why=why,
        now=tx.now,
        promised_at=promised_at,
        **_declared(tx, application_id, declared),
    )
    return _application(tx, row)


def _declared(tx: Tx, application_id: str, declared: Declared | None) -> dict[str, object]:
    """The columns it is kept in; all empty for none."""
    if declared is None:
        return dict.fromkeys(("declared", "amount_fen", "term_months", "purpose"))
    return {
        "declared": tx.vault.seal(_TABLE, "declared", application_id, msgspec.json.encode(declared)),
        "amount_fen": declared.amount_fen,
        "term_months": declared.term_months,
        "purpose": declared.purpose,
    }


async def note(tx: Tx, application_id: str, event: str, why: str) -> None:
    await Q.note(
        tx,
        institution_id=tx.institution_id,
        id=application_id,
        event=event,
        who=f"{tx.actor.kind}:{tx.actor.id}",
        why=why,
        now=tx.now,
    )


async def hand_over(tx: Tx, from_officer: str, to_officer: str, why: str) -> int:
    rows = await Q.lock_of_officer(tx, institution_id=tx.institution_id, officer_id=from_officer)
    moved: int = await Q.hand_over(
        tx,
        institution_id=tx.institution_id,
        ids=[row["id"] for row in rows],
        to_officer=to_officer,
        who=f"{tx.actor.kind}:{tx.actor.id}",
        why=why,
        now=tx.now,
    )
    return moved


async def events(tx: Tx, application_id: str) -> list[Event]:
    rows = await Q.events(tx, institution_id=tx.institution_id, application_id=application_id)
    return [Event(*row) for row in rows]


async def insert_capture(
    tx: Tx,
    capture_id: str,
    application_id: str,
    kind: str,
    sha256: bytes,
    reading: dict[str, object] | None,
    guarantee_id: str | None,
) -> None:
    sealed = (
        None
        if reading is None
        else tx.vault.seal(_CAPTURES, "reading", capture_id, msgspec.json.encode(reading))
    )
    await Q.insert_capture(
        tx,
        institution_id=tx.institution_id,
        id=capture_id,
        application_id=application_id,
        guarantee_id=guarantee_id,
        kind=kind,
        sha256=sha256,
        reading=sealed,
        now=tx.now,
    )


async def latest_capture(tx: Tx, application_id: str, kind: str, guarantee_id: str | None) -> Capture | None:
    row = await Q.latest_capture(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        guarantee_id=guarantee_id,
        kind=kind,
    )
    return _capture(tx, row)


async def latest_captures(tx: Tx, application_id: str, kinds: Sequence[str]) -> list[Capture]:
    rows = await Q.latest_captures(
        tx, institution_id=tx.institution_id, application_id=application_id, kinds=list(kinds)
    )
    return [found for row in rows if (found := _capture(tx, row)) is not None]


async def get_capture(tx: Tx, capture_id: str) -> Capture | None:
    return _capture(tx, await Q.get_capture(tx, institution_id=tx.institution_id, id=capture_id))


async def captures_with_us(tx: Tx, application_id: str, guarantee_id: str | None) -> list[Capture]:
    rows = await Q.captures_of(
        tx, institution_id=tx.institution_id, application_id=application_id, guarantee_id=guarantee_id
    )
    return [found for row in rows if (found := _capture(tx, row)) is not None]


async def confirm_capture(tx: Tx, capture_id: str, confirmed: dict[str, str], corrected: list[str]) -> None:
    sealed = tx.vault.seal(_CAPTURES, "confirmed", capture_id, msgspec.json.encode(confirmed))
    await Q.confirm_capture(
        tx, institution_id=tx.institution_id, id=capture_id, confirmed=sealed, corrected=corrected
    )


async def archived_capture(tx: Tx, capture_id: str, receipt: str) -> None:
    await Q.archived_capture(tx, institution_id=tx.institution_id, id=capture_id, receipt=receipt, now=tx.now)


async def destroyed_capture(tx: Tx, capture_id: str) -> None:
    await Q.destroyed_capture(tx, institution_id=tx.institution_id, id=capture_id, now=tx.now)


async def erase_captures(tx: Tx, application_id: str, guarantee_id: str | None) -> None:
    await Q.erase_captures(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        guarantee_id=guarantee_id,
        now=tx.now,
    )


async def forget(tx: Tx, application_id: str) -> None:
    await Q.forget(tx, institution_id=tx.institution_id, id=application_id, now=tx.now)


async def captures_with_us_everywhere(tx: Tx, before: datetime, most: int) -> list[tuple[str, str]]:
    rows = await Q.captures_with_us_everywhere(tx, before=before, most=most)
    return [(row["institution_id"], row["id"]) for row in rows]


async def last_event(tx: Tx, application_id: str, event: str) -> Event | None:
    row = await Q.last_event(tx, institution_id=tx.institution_id, application_id=application_id, event=event)
    return Event(*row) if row is not None else None


async def receipts_of(tx: Tx, application_id: str) -> list[str]:
    rows = await Q.receipts_of(tx, institution_id=tx.institution_id, application_id=application_id)
    return [row["receipt"] for row in rows]


async def receipts_of_guarantee(tx: Tx, guarantee_id: str) -> list[str]:
    rows = await Q.receipts_of_guarantee(tx, institution_id=tx.institution_id, guarantee_id=guarantee_id)
    return [row["receipt"] for row in rows]


async def anonymise(tx: Tx, application_id: str) -> None:
    await Q.anonymise(tx, institution_id=tx.institution_id, id=application_id)
