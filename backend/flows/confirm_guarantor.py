"""保证人确认身份证: who the guarantor is, checked before anything of them is kept as a customer (A3-07, D6-02)."""

from collections.abc import Mapping

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Capture, StepMissing
from backend.domains.customers import card_form
from backend.domains.customers import rules as customer_rules
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card, CardContradictsItself, NotYetAdult, UnderAge
from backend.domains.guarantees import service as guarantees
from backend.domains.regulation import service as regulation
from backend.flows import card_on_file, check_guarantor, confirm_identity, forget_guarantor, refuse_guarantee
from backend.flows.capture_identity import too_young
from backend.flows.check_guarantor import NotAGuarantor
from backend.flows.context import Context
from backend.flows.require_guarantee import Standing, require_guarantee
from backend.outbox import effects

IDENTIFIED = "guarantor_identified"


async def confirm_guarantor(
    context: Context, actor: Actor, session_id: str, typed: Mapping[str, str]
) -> None:
    """The guarantee goes on to the phone.

    Raises `CardIncomplete`, `IdNumberInvalid`, `CardMistyped`, `CardContradictsItself`, `CardExpired`, `StepMissing`,
    `LinkGone`, `GuaranteeMoved`; `TooYoung` and `NotAGuarantor` end it.
    """
    async with context.db.read(actor) as tx:
        standing = await require_guarantee(tx, session_id, "identity")
        guarantee_id = standing.guarantee.id
        captures = await confirm_identity.captures(tx, standing.application, guarantee_id)
        card, corrected = card_form.card(confirm_identity.merged(*captures), typed)
        rules = await regulation.in_force(tx, clock.today())
    try:
        customer_rules.check_card(card, clock.today(), rules, corrected)
    except (UnderAge, NotYetAdult) as problem:
        await refuse_guarantee.refuse_guarantee(context, actor, guarantee_id, "under_age")
        raise too_young(card.birth_on, rules) from problem
    except CardContradictsItself:
        application_id = standing.application.id
        await confirm_identity.destroy(context, actor, application_id, "contradicting", guarantee_id)
        raise
    images: list[str] = []
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "identity", lock=True)
        why = await _may_not(tx, standing, card)
        if why:
            images = await refuse_guarantee.end(tx, standing.application, standing.guarantee, why)
        else:
            await _record(tx, standing, captures, typed)
    await forget_guarantor.destroy(context, actor, images)
    if why:
        raise NotAGuarantor(why)


async def _may_not(tx: Tx, standing: Standing, card: Card) -> str:
    """Before anything is kept: the borrower, or a guarantor of this case already. The rest waits until phone and
    face are proved (`confirm_guarantee`)."""
    known = await customers.find_by_id_number(tx, card.id_number)
    return await check_guarantor.no_third_person(tx, standing.guarantee, known) if known else ""


async def _record(
    tx: Tx, standing: Standing, captures: tuple[Capture, Capture], typed: Mapping[str, str]
) -> None:
    application, guarantee = standing.application, standing.guarantee
    if await confirm_identity.captures(tx, application, guarantee.id) != captures:
        raise StepMissing(step="identity")  # another photograph came in between: look at that one first
    card, corrected = card_form.card(confirm_identity.merged(*captures), typed)
    customer_id = await card_on_file.claimed(tx, card)
    confirmed = {name: typed.get(name, "") for name in card_form.EDITABLE}
    for capture in captures:
        await applications.confirm_capture(tx, capture, confirmed, corrected)
        await effects.add(
            tx,
            kind=confirm_identity.ARCHIVE,
            case_id=application.id,
            key=f"image:{capture.id}",
            payload={"capture_id": capture.id},
        )
    await guarantees.set_guarantor(tx, guarantee, customer_id)
    await applications.note(tx, application, IDENTIFIED, ",".join(corrected))
