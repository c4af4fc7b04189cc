"""What other code may ask about applications. Every change writes its event and audit row in the open `tx`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg

from backend.core import clock, ids
from backend.db.database import Tx
from backend.domains.applications import repository
from backend.domains.applications.model import (
    APPLICATION,
    STEPS,
    AlreadyOpen,
    Application,
    ApplicationMoved,
    ApplicationNotFound,
    Capture,
    Declared,
    Event,
    StepMissing,
)
from backend.domains.audit import service as audit

FORGOTTEN = "forgotten"


async def begin(
    tx: Tx,
    *,
    product_code: str,
    product_version: str,
    channel: str,
    session_id: str | None = None,
    openid: str | None = None,
    code_id: str | None = None,
    officer_id: str | None = None,
    is_internet_loan: bool = True,
) -> Application:
    """A new draft, with a number people can read out: year, month, day, then a serial."""
    application_id = ids.new()
    number = f"{clock.today():%y%m%d}{await repository.next_number(tx) % 10**6:06d}"
    await repository.insert(
        tx,
        id=application_id,
        application_no=number,
        session_id=session_id,
        openid=openid,
        product_code=product_code,
        product_version=product_version,
        channel=channel,
        code_id=code_id,
        officer_id=officer_id,
        is_internet_loan=is_internet_loan,
    )
    await repository.note(tx, application_id, "begun", channel)
    audit.add(tx, "application.begin", number, product=product_code, channel=channel)
    return await get(tx, application_id)


async def get(tx: Tx, application_id: str, *, lock: bool = False) -> Application:
    """Raises `ApplicationNotFound` for an unknown id and for one of another institution alike."""
    found = await repository.get(tx, application_id, lock=lock)
    if found is None:
        raise ApplicationNotFound()
    return found


def read(tx: Tx, row: Any) -> Application:
    """Of a row of a wider question that has all columns of the table (`overview`)."""
    return repository.read(tx, row)


async def by_number(tx: Tx, application_no: str) -> Application:
    found = await repository.by_number(tx, application_no)
    if found is None:
        raise ApplicationNotFound()
    return found


async def numbers(tx: Tx, application_ids: Iterable[str]) -> dict[str, str]:
    """The numbers of many for a list, by id; what is no application's id is left out."""
    wanted = sorted({each for each in application_ids if ids.is_uuid(each)})
    return await repository.numbers(tx, wanted) if wanted else {}


async def institution_of_number(tx: Tx, application_no: str) -> str | None:
    """Which county a number belongs to; needs a union-wide reader."""
    return await repository.institution_of_number(tx, application_no)


async def of_customer(tx: Tx, customer_id: str) -> list[Application]:
    return await repository.of_customer(tx, customer_id)


async def of_openid(tx: Tx, openid: str) -> list[Application]:
    return await repository.of_openid(tx, openid)


async def waiting_everywhere(tx: Tx, status: str, before: datetime, most: int = 100) -> list[tuple[str, str]]:
    """(institution, application) in a status since before a moment; needs a union-wide reader."""
    return await repository.waiting_everywhere(tx, status, before, most)


async def open_for(tx: Tx, customer_id: str, product_code: str) -> Application | None:
    """The person's open application for a product (D: a second one is answered with the first)."""
    return await repository.open_of_customer(tx, customer_id, product_code)


async def belongs_to(tx: Tx, application: Application, customer_id: str, product_name: str) -> None:
    """The card was confirmed: the draft is this person's. Raises `AlreadyOpen` when they have another one.

    Two phones at once: the unique index lets one of them through; the other is told the number of the first.
    """
    other = await repository.open_of_customer(tx, customer_id, application.product_code)
    if other is not None and other.id != application.id:
        raise AlreadyOpen(product=product_name, application_no=other.application_no)
    try:
        changed = await repository.set_customer(tx, application.id, customer_id)
    except asyncpg.UniqueViolationError as cause:
        raise AlreadyOpen(product=product_name, application_no="刚刚在另一部手机上") from cause
    if not changed:
        raise ApplicationMoved(label=application.label)


async def continue_from(tx: Tx, application: Application, session_id: str, openid: str | None) -> None:
    """The person goes on from another browser or phone."""
    await repository.set_session(tx, application.id, session_id, openid)
    audit.add(tx, "application.resume", application.application_no)


async def reach(tx: Tx, application: Application, step: str) -> None:
    """The draft is at `step` now; never moved backwards (`back_to_card` alone does that)."""
    if STEPS.index(step) > STEPS.index(application.step) and not await repository.set_step(
        tx, application.id, step
    ):
        raise ApplicationMoved(label=application.label)


async def back_to_card(tx: Tx, application: Application, why: str) -> None:
    """The card no longer holds: card, phone and face are proved anew; what was declared stays."""
    await repository.set_liveness(tx, application.id, "none")
    if not await repository.set_step(tx, application.id, "identity"):
        raise ApplicationMoved(label=application.label)
    await note(tx, application, "card_again", why)


def require_step(application: Application, step: str) -> None:
    """Raises `StepMissing` when the person jumps ahead (ASVS 2.3.1), `ApplicationMoved` after submission."""
    if application.status != "draft":
        raise ApplicationMoved(label=application.label)
    if STEPS.index(application.step) < STEPS.index(step):
        raise StepMissing(step=application.step)


def require_at(application: Application, step: str) -> None:
    """As `require_step`, and a step that is done is not done again: `StepMissing` leads on from it."""
    require_step(application, step)
    if application.step != step:
        raise StepMissing(step=application.step)


async def set_liveness(tx: Tx, application: Application, liveness: str) -> None:
    if not await repository.set_liveness(tx, application.id, liveness):
        raise ApplicationMoved(label=application.label)
    audit.add(tx, "application.liveness", application.application_no, result=liveness)


async def declare(tx: Tx, application: Application, declared: Declared) -> None:
    if not await repository.set_declared(tx, application.id, declared):
        raise ApplicationMoved(label=application.label)


async def move(
    tx: Tx,
    application: Application,
    to_status: str,
    event: str,
    why: str = "",
    *,
    promised_at: datetime | None = None,
    declared: Declared | None = None,
) -> Application:
    """Move the status from where the caller saw it, with what is declared in the same breath, if anything. Raises
    `ForbiddenMove`; `ApplicationMoved` on a race."""
    APPLICATION.check(application.status, to_status)
    old = application.status
    moved = await repository.move(tx, application.id, old, to_status, event, why, promised_at, declared)
    if moved is None:
        raise ApplicationMoved(label=(await get(tx, application.id)).label)
    audit.add(tx, f"application.{event}", moved.application_no, old=old, new=to_status, why=why)
    return moved


async def note(tx: Tx, application: Application, event: str, why: str = "") -> None:
    """An event that moves nothing. Locks the row so that events stay numbered without gaps."""
    await get(tx, application.id, lock=True)
    await repository.note(tx, application.id, event, why)
    audit.add(tx, f"application.{event}", application.application_no, why=why)


async def hand_over(tx: Tx, from_officer: str, to_officer: str, why: str) -> int:
    """Everything one officer looked after goes to another, each case with an event; returns how many."""
    return await repository.hand_over(tx, from_officer, to_officer, why)


async def events(tx: Tx, application_id: str) -> list[Event]:
    return await repository.events(tx, application_id)


async def add_capture(
    tx: Tx,
    application: Application,
    kind: str,
    sha256: bytes,
    reading: dict[str, object] | None,
    *,
    capture_id: str = "",
    guarantee_id: str | None = None,
) -> str:
    """Note a photograph; returns its id, which also names the sealed file and the archive's index. `guarantee_id`
    says that the card is the guarantor's of that guarantee, here and below; without it, the applicant's."""
    capture_id = capture_id or ids.new()
    await repository.insert_capture(tx, capture_id, application.id, kind, sha256, reading, guarantee_id)
    audit.add(tx, "capture.add", application.application_no, kind=kind)
    return capture_id


async def latest_capture(
    tx: Tx, application: Application, kind: str, guarantee_id: str | None = None
) -> Capture | None:
    return await repository.latest_capture(tx, application.id, kind, guarantee_id)


async def latest_captures(tx: Tx, application: Application, *kinds: str) -> list[Capture]:
    """The photographs that count, those of `kinds` there are; in their order."""
    found = {each.kind: each for each in await repository.latest_captures(tx, application.id, kinds)}
    return [found[kind] for kind in kinds if kind in found]


async def get_capture(tx: Tx, capture_id: str) -> Capture | None:
    return await repository.get_capture(tx, capture_id)


async def captures_with_us(tx: Tx, application_id: str, guarantee_id: str | None = None) -> list[Capture]:
    return await repository.captures_with_us(tx, application_id, guarantee_id)


async def confirm_capture(tx: Tx, capture: Capture, confirmed: dict[str, str], corrected: list[str]) -> None:
    """What the person confirmed; `corrected` names the fields they changed (A5-03)."""
    await repository.confirm_capture(tx, capture.id, confirmed, corrected)


async def archived_capture(tx: Tx, capture: Capture, receipt: str) -> None:
    await repository.archived_capture(tx, capture.id, receipt)
    audit.add(tx, "capture.archived", capture.id, kind=capture.kind)


async def destroyed_capture(tx: Tx, capture_id: str, why: str) -> None:
    await repository.destroyed_capture(tx, capture_id)
    audit.add(tx, "capture.destroyed", capture_id, why=why)


async def forget(tx: Tx, application: Application, why: str) -> None:
    """Give a draft up and keep nothing that leads to a person (D3-05, D6-02). Images are the caller's."""
    await repository.erase_captures(tx, application.id, None)
    await move(tx, application, "abandoned", "abandoned", why)
    await repository.forget(tx, application.id)


async def forget_guarantor(tx: Tx, application_id: str, guarantee_id: str) -> None:
    """Keep nothing that was read from the card of a guarantor who did not agree. Images are the caller's."""
    await repository.erase_captures(tx, application_id, guarantee_id)


async def archived_receipts(tx: Tx, application_id: str, guarantee_id: str | None = None) -> list[str]:
    """The archive's marks of the pictures it keeps of a case: the applicant's, or that guarantor's."""
    if guarantee_id:
        return await repository.receipts_of_guarantee(tx, guarantee_id)
    return await repository.receipts_of(tx, application_id)


async def anonymise(tx: Tx, application: Application) -> None:
    """Nothing of who asked stays in a case that ended without a loan (D7); its figures and its story do."""
    await note(tx, application, FORGOTTEN)
    await repository.erase_captures(tx, application.id, None)
    await repository.anonymise(tx, application.id)


async def captures_with_us_everywhere(tx: Tx, before: datetime, most: int = 200) -> list[tuple[str, str]]:
    """(institution, capture) whose image has lain with us since before a moment; for a union-wide reader."""
    return await repository.captures_with_us_everywhere(tx, before, most)


async def last_event(tx: Tx, application: Application, event: str) -> Event | None:
    return await repository.last_event(tx, application.id, event)
