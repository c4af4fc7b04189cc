"""确认担保: the guarantor's own word, after reading, when nothing stands against it (A1-08, A8-12).

Who it is and whether they pay their own debts is asked outside under their own consents (D3-09) before the one
transaction that records everything: guarantee, edge of the relation graph, event, notice and audit row. An answer that
leaves it open neither gives nor ends the guarantee: it stays open, and is asked anew on another day.
"""

from datetime import datetime

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.contracts.model import ReadTooFast
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Consent, Person
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from backend.domains.guarantees.terms import Terms
from backend.domains.institutions import service as institutions
from backend.domains.relations import service as relations
from backend.flows import (
    check_guarantor,
    forget_guarantor,
    give_guarantee_copy,
    notify,
    refuse_guarantee,
    send_sms,
    show_disclosure,
)
from backend.flows import show_guarantee as showing
from backend.flows.check_guarantor import NotAGuarantor
from backend.flows.context import Context
from backend.flows.require_guarantee import Standing, require_guarantee
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.integrations.identity_check.port import Match
from backend.settings import Settings

CONFIRMED = "guarantor_confirmed"
GIVEN = "guarantee_given"
"""The SMS to the guarantor; the borrower's is `CONFIRMED`."""
WAITS = "guarantor_waits"
"""Who had no answer for us follows after a dot."""


class AnswerMissing(Unavailable):
    """A system answered, and left open what was asked of it."""

    code = "guarantor_answer_missing"
    message = (
        "核对的结果还没有齐，今天先不能确认。您填的都收好了，请明天再来点一次确认。"
        "要是那时链接已经过期，就请对方重新发一个"
    )

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(source=source)


class _Ready(msgspec.Struct, frozen=True):
    standing: Standing
    person: Person
    terms: Terms
    shown_at: datetime
    seconds: int
    identity: Consent
    bureau: Consent


async def confirm_guarantee(context: Context, actor: Actor, session_id: str, shown_token: str) -> None:
    """Raises `ReadTooFast`, `ShownTokenInvalid`, `ConsentMissing`, `LinkGone`, `GuaranteeMoved`; Unavailable when a
    system that has to be asked is down, refuses the question or leaves it open; `NotAGuarantor` after it has ended the
    guarantee."""
    async with context.db.read(actor) as tx:
        ready = await _ready(context, tx, session_id, shown_token)
    try:
        why = await _outside(context, ready)
    except AnswerMissing as missing:
        async with context.db.begin(actor) as tx:
            await applications.note(tx, ready.standing.application, f"{WAITS}.{missing.source}")
        raise
    images: list[str] = []
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "confirm", lock=True)
        why = why or await check_guarantor.check_guarantor(tx, standing, ready.person.id)
        if why:
            images = await refuse_guarantee.end(tx, standing.application, standing.guarantee, why)
        else:
            await _record(context.settings, tx, standing, ready)
    await forget_guarantor.destroy(context, actor, images)
    if why:
        raise NotAGuarantor(why)


async def _ready(context: Context, tx: Tx, session_id: str, shown_token: str) -> _Ready:
    standing = await require_guarantee(tx, session_id, "confirm")
    assert standing.guarantee.guarantor_id is not None, "the steps before set it"
    terms = await showing.words(tx, standing)
    shown_at = showing.read_since(context.settings, standing, terms, shown_token, tx.now)
    seconds = await show_disclosure.reading_seconds(tx)
    left = show_disclosure.seconds_left(shown_at, tx.now, seconds)
    if left:
        raise ReadTooFast(seconds_left=left)
    person = await customers.get(tx, standing.guarantee.guarantor_id)
    for purpose, recipient in (
        (Purpose.GUARANTEE_INFO, "lender"),
        (Purpose.GUARANTEE_RESULT, "borrower"),
    ):
        await consents.require(tx, person.id, purpose, recipient, clock.today())
    return _Ready(
        standing,
        person,
        terms,
        shown_at,
        seconds,
        await _consent(tx, person, Purpose.IDENTITY_CHECK, "identity_check"),
        await _consent(tx, person, Purpose.GUARANTEE_BUREAU, "credit_bureau"),
    )


async def _consent(tx: Tx, person: Person, purpose: Purpose, recipient: str) -> Consent:
    """The one that covers asking today (D3-09). Raises `ConsentMissing`."""
    consent_id = await consents.require(tx, person.id, purpose, recipient, clock.today())
    return next(each for each in await consents.given(tx, person.id) if each.id == consent_id)


async def _outside(context: Context, ready: _Ready) -> str:
    """Why not, by what others know, or empty. A report is asked for only of who was found to be the person."""
    guarantee, person = ready.standing.guarantee, ready.person
    try:
        return await _asked(context, ready, guarantee, person)
    except (
        OutsideRefused
    ) as cause:  # about how we ask, not about the person: the guarantee waits for an answer
        raise OutsideUnavailable(operation=cause.operation, reason=f"status {cause.status}") from cause


async def _asked(context: Context, ready: _Ready, guarantee: Guarantee, person: Person) -> str:
    """The same question the same day is answered from the same query; one that was left open is asked anew the next."""
    key = f"{guarantee.id}:{clock.today()}"
    known = await context.clients.identity_check.verify(
        name=person.name,
        id_number=person.id_number,
        authorisation_id=ready.identity.id,
        case_id=guarantee.application_id,
        key=f"identity:{key}",
        phone=person.phone or "",
    )
    if Match.MISMATCH in (known.result, known.phone_result):
        return "identity"
    if known.result is not Match.MATCH:
        raise AnswerMissing("identity_check")
    report = await context.clients.credit_bureau.report(
        name=person.name,
        id_number=person.id_number,
        purpose="guarantee_review",
        authorisation_id=ready.bureau.id,
        consent_sha256=ready.bureau.text_sha256,
        case_id=guarantee.application_id,
        key=f"bureau:{key}",
    )
    overdue = report.facts.get("bureau_overdue_amount")
    if type(overdue) is not int:
        if report.found:
            raise AnswerMissing("credit_bureau")
        return ""
    return "own_overdue" if overdue else ""


async def _record(settings: Settings, tx: Tx, standing: Standing, ready: _Ready) -> None:
    guarantee, application = standing.guarantee, standing.application
    await guarantees.confirm(
        tx, guarantee, ready.terms, shown_at=ready.shown_at, required_seconds=ready.seconds
    )
    await applications.note(tx, application, CONFIRMED, ready.terms.sha256[:16])
    await notify.announce_guarantor(tx, application, guarantee.id, CONFIRMED)
    await _tell_guarantor(settings, tx, standing, ready.person)
    await relations.guarantee(tx, guarantee.borrower_id, ready.person.id, application.id)


async def _tell_guarantor(settings: Settings, tx: Tx, standing: Standing, person: Person) -> None:
    """To their own number, so that nobody answers for another without hearing of it; with the way to their copy."""
    guarantee = standing.guarantee
    assert person.phone is not None, "proved two steps before"
    parameters = {
        "application_no": standing.application.application_no,
        "amount": f"{guarantee.amount_fen // 100:,}",
        "until": f"{guarantee.until_on:%Y年%-m月%-d日}",
        "link": settings.public_base.rstrip("/") + give_guarantee_copy.path(settings, guarantee),
        "phone": (await institutions.get(tx, tx.institution_id)).service_phone,
    }
    key = f"guarantee:{guarantee.id}:given"
    await send_sms.queue(tx, person.phone, GIVEN, parameters, standing.application.id, key)
