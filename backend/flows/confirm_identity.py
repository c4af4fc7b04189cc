"""确认身份证: the person has looked over what was read; who they are, and whose customer (A3-07, D1-12, D6-02)."""

import asyncio
from collections.abc import Mapping

from backend.core import clock
from backend.core.actor import Actor, everywhere
from backend.core.errors import Conflict, NotPermitted
from backend.db.database import Tx
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.domains.applications.model import OPEN, Application, Capture, StepMissing
from backend.domains.campaigns import sentinel
from backend.domains.customers import card_form
from backend.domains.customers import rules as customer_rules
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card, CardContradictsItself, CardExpired, NotYetAdult, UnderAge
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.products import service as products
from backend.domains.products.model import ProductNotLive
from backend.domains.regulation import service as regulation
from backend.flows import card_on_file, finish_forgetting, turn_away
from backend.flows.capture_identity import too_young
from backend.flows.context import Context
from backend.ocr import reading
from backend.outbox import effects

ARCHIVE = "image.archive"
_UNPROVEN = ("identity", "phone")
"""A draft left at one of these was never tied to a phone: nobody could take it up again."""


class LivesElsewhere(NotPermitted):
    """`institution` is the one that serves them; `product_code` what it offers of this kind, or empty."""

    code = "lives_elsewhere"
    message = "您住在{county}，由{institution_name}为您办理"


class OpenElsewhere(Conflict):
    """Somebody whom two counties serve applies at one of them at a time (D1-01, D1-12)."""

    code = "open_elsewhere"
    message = "您在{institution_name}有一笔申请正在办，办完再到这里申请"


class OutsideTheUnion(NotPermitted):
    code = "outside_the_union"
    message = "您的证件住址不在开通的县里。请带居住证或营业执照到就近的农商银行网点，柜台为您办"


async def confirm_identity(
    context: Context, actor: Actor, application_id: str, typed: Mapping[str, str]
) -> Application:
    """The draft becomes a person's and goes on to the phone; the photographs are sent to the archive.

    Raises `StepMissing`, `CardIncomplete`, `IdNumberInvalid`, `CardMistyped`, `CardContradictsItself`,
    `CardExpired`, `TooYoung`, `LivesElsewhere`, `OutsideTheUnion`, `OpenElsewhere`, `AlreadyOpen`, `ProductNotLive`.
    """
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
        applications.require_at(application, "identity")
        front, back = await captures(tx, application)
        card, corrected = card_form.card(merged(front, back), typed)
        rules = await regulation.in_force(tx, clock.today())
        union = await institutions.all_live(tx)
    try:
        customer_rules.check_card(card, clock.today(), rules, corrected)
    except (UnderAge, NotYetAdult) as problem:
        await turn_away.turn_away(context, actor, application_id, "under_age")
        raise too_young(card.birth_on, rules) from problem
    except CardExpired:
        await destroy(context, actor, application_id, "expired")
        raise
    except CardContradictsItself:
        await destroy(context, actor, application_id, "contradicting")  # taken again, not shown again
        raise
    if rules.flag("local_only.required"):
        await _keep_local(context, actor, application, card, union)
    await _one_county_at_a_time(context, actor, application, card, union)
    return await _record(context, actor, application_id, front, back, typed)


async def captures(
    tx: Tx, application: Application, guarantee_id: str | None = None
) -> tuple[Capture, Capture]:
    """Both sides of the applicant's card, or of a guarantor's. Raises `StepMissing`."""
    front = await applications.latest_capture(tx, application, reading.ID_FRONT, guarantee_id)
    back = await applications.latest_capture(tx, application, reading.ID_BACK, guarantee_id)
    if front is None or back is None or front.destroyed_at or back.destroyed_at:
        raise StepMissing(step="identity")
    return front, back


def merged(*sides: Capture) -> dict[str, str]:
    """What was read from the card, by printed label."""
    read: dict[str, str] = {}
    for capture in sides:
        read |= card_form.read_fields(capture.reading)
    return read


async def _keep_local(
    context: Context, actor: Actor, application: Application, card: Card, union: list[Institution]
) -> None:
    """D1-12: a county lends to its own people; the others are shown the way, and nothing of them is kept."""
    here = next(each for each in union if each.id == actor.institution_id)
    if institutions.covers(here, card.id_number, card.address):
        return
    serving = institutions.serving(union, card.id_number, card.address)
    await turn_away.turn_away(
        context, actor, application.id, f"lives in {serving.id if serving else 'no county'}"
    )
    if application.code_id is not None:
        async with context.db.begin(actor) as tx:
            await sentinel.signal(tx, application.code_id, "out_of_area", application.id)
    if serving is None:
        raise OutsideTheUnion()
    raise LivesElsewhere(
        county=serving.county,
        institution_name=serving.short_name,
        institution_id=serving.id,
        product_code=await _offered(context, actor, serving, application.product_code),
    )


async def _one_county_at_a_time(
    context: Context, actor: Actor, application: Application, card: Card, union: list[Institution]
) -> None:
    """A draft over there is no obstacle; whichever is handed in first counts."""
    async with context.db.read(everywhere("confirm identity")) as tx:
        same = await customers.same_person_everywhere(tx, card.id_number)
    for institution_id, customer_id in same:
        if institution_id == actor.institution_id:
            continue
        async with context.db.read(everywhere("confirm identity").within(institution_id)) as tx:
            theirs = await applications.of_customer(tx, customer_id)
        if any(each.status in OPEN and each.status != "draft" for each in theirs):
            await turn_away.turn_away(context, actor, application.id, "open in another county")
            there = next(each for each in union if each.id == institution_id)
            raise OpenElsewhere(county=there.county, institution_name=there.short_name)


async def _offered(context: Context, actor: Actor, serving: Institution, product_code: str) -> str:
    """The same product over there, or the first one that county offers; empty when there is none."""
    async with context.db.read(actor.within(serving.id)) as tx:
        try:
            return (await products.get_live(tx, serving.id, product_code, clock.today())).code
        except ProductNotLive:
            return next((p.code for p in await products.list_live(tx, serving.id, clock.today())), "")


async def _record(
    context: Context,
    actor: Actor,
    application_id: str,
    front: Capture,
    back: Capture,
    typed: Mapping[str, str],
) -> Application:
    read = merged(front, back)
    card, corrected = card_form.card(read, typed)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "identity")
        if await captures(tx, application) != (front, back):
            raise StepMissing(step="identity")  # another photograph came in between: look at that one first
        product = await products.get_live(tx, tx.institution_id, application.product_code, clock.today())
        customer_id = await card_on_file.claimed(tx, card)
        await _give_up_unproven(tx, application, customer_id)
        await applications.belongs_to(tx, application, customer_id, product.name)
        confirmed = {name: typed.get(name, "") for name in card_form.EDITABLE}
        for capture in (front, back):
            await applications.confirm_capture(tx, capture, confirmed, corrected)
            await effects.add(
                tx,
                kind=ARCHIVE,
                case_id=application.id,
                key=f"image:{capture.id}",
                payload={"capture_id": capture.id},
            )
        await applications.note(tx, application, "identity_confirmed", ",".join(corrected))
        await applications.reach(tx, application, "phone")
        return await applications.get(tx, application_id)


async def _give_up_unproven(tx: Tx, application: Application, customer_id: str) -> None:
    """A draft of the same person that stopped before the phone was proved must not block this one for ever."""
    other = await applications.open_for(tx, customer_id, application.product_code)
    if (
        other is not None
        and other.id != application.id
        and other.status == "draft"
        and other.step in _UNPROVEN
    ):
        receipts = await applications.archived_receipts(tx, other.id)
        await applications.forget(tx, other, "begun again on another phone")
        await finish_forgetting.order(tx, other.id, {other.id: receipts}, [])


async def destroy(
    context: Context, actor: Actor, application_id: str, why: str, guarantee_id: str | None = None
) -> None:
    """These photographs, the applicant's or a guarantor's, will not be needed; the draft stays."""
    async with context.db.begin(actor) as tx:
        with_us = await applications.captures_with_us(tx, application_id, guarantee_id)
        for capture in with_us:
            await applications.destroyed_capture(tx, capture.id, why)
    for capture in with_us:
        await asyncio.to_thread(images.destroy, context.settings.data, actor.institution_id, capture.id)
