"""提交申请: the draft is complete, and the decision is asked for in the same transaction (A3-06, A3-08)."""

import contextlib
from collections.abc import Mapping

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Problem
from backend.db.database import Tx
from backend.db.together import Together
from backend.domains.applications import declarations
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationMoved, Declared, StepMissing
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import CardExpired, ConsentMissing, CustomerFrozen, Person
from backend.domains.decision import service as decisions
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.relations import service as relations
from backend.flows import notify, pre_screen, save_details
from backend.flows.context import Context
from backend.outbox import effects

DECIDE = "application.decide"


async def submit_application(
    context: Context,
    actor: Actor,
    application_id: str,
    *,
    network: str = "",
    given: Mapping[str, str] | None = None,
) -> Application:
    """draft → submitted, or declined at once by the pre-screen. Sent twice, the answer is the same and nothing happens
    twice.

    `network` is where the request came from, as quotas count it; empty when nobody can tell. `given` is what the last
    page was sent with: handed in with it, or kept where that must wait.

    Raises `StepMissing`, `ConsentMissing`, `AmountOutOfRange`, `DeclaredIncomplete`, `CardExpired`,
    `CustomerFrozen`, `StudentsNotServed`; `ApplicationMoved` for a draft that was given up.
    """
    try:
        return await _submit(context, actor, application_id, network, given)
    except Problem:
        if given is not None:
            with contextlib.suppress(Problem):  # the first one is told
                await save_details.save_details(context, actor, application_id, given, whole=True)
        raise


async def _submit(
    context: Context, actor: Actor, application_id: str, network: str, given: Mapping[str, str] | None
) -> Application:
    async with context.db.begin(actor, same_plans=True) as tx:
        application = await applications.get(tx, application_id, lock=True)
        if application.submitted_at is not None:
            return application
        if application.status != "draft":
            raise ApplicationMoved(label=application.label)
        read = await _read(tx, application, _every_step_done(application))
        product, person, declared = read.product, read.person, None
        if given is not None:
            declared = await save_details.read(tx, application, given, whole=True)
            application = msgspec.structs.replace(application, declared=declared)
        declarations.check(product, application.declared)
        if person.status == "frozen":
            raise CustomerFrozen()
        # A draft may be months old: what held when the card was read must hold today.
        if person.card_valid_until is not None and person.card_valid_until < clock.today():
            raise CardExpired(expired_on=person.card_valid_until)
        for purpose in read.missing:
            raise ConsentMissing(purpose=purpose)
        screened = await _screened(tx, application, read)
        async with Together(tx, writing=True) as also:
            moved = also(hand_in(tx, application, product.code, declared=declared))
            if screened is not None:
                also(pre_screen.record(tx, application, screened))
            if screened is None or screened.goes_on:
                also(ask_decision(tx, application.id))
        _relate(tx, application, person, network)
        submitted = moved.result()
        if screened is not None and not screened.goes_on:
            submitted = await _turn_away(tx, submitted)
        return submitted


class _Read(msgspec.Struct, frozen=True):
    """What a submission is judged by; `missing` are consents that do not stand."""

    product: Product
    person: Person
    missing: tuple[Purpose, ...]
    own: pre_screen.Own


async def _read(tx: Tx, application: Application, customer_id: str) -> _Read:
    """In one question."""
    code = application.product_code
    async with Together(tx) as also:
        product = also(products.get_live(tx, tx.institution_id, code, clock.today()))
        person = also(customers.get(tx, customer_id))
        missing = also(consents.missing(tx, customer_id))
        own = also(pre_screen.read(tx, application, customer_id))
    return _Read(product.result(), person.result(), missing.result(), own.result())


async def _screened(tx: Tx, application: Application, read: _Read) -> pre_screen.Screened | None:
    """None for a case that a reviewer sent on (`begin_again`): it has passed this door, or was let past it."""
    if application.channel == "review":
        return None
    return await pre_screen.pre_screen(tx, application, read.person, read.product, read.own)


async def hand_in(
    tx: Tx, application: Application, product_code: str, why: str = "", declared: Declared | None = None
) -> Application:
    """draft → submitted; the case keeps the versions of this moment (A3-20), and what is declared with it."""
    async with Together(tx, writing=True) as also:
        also(decisions.pin(tx, application.id, product_code))
        moved = also(applications.move(tx, application, "submitted", "submitted", why, declared=declared))
    return moved.result()


async def ask_decision(tx: Tx, application_id: str) -> None:
    """The decision is asked for."""
    key = f"decide:{application_id}"
    await effects.add(tx, kind=DECIDE, case_id=application_id, key=key, payload={}, first=True)


async def _turn_away(tx: Tx, submitted: Application) -> Application:
    """Declined at once, by what we know ourselves: nobody is asked, nothing is paid, a person may still be asked."""
    declined = await applications.move(tx, submitted, "declined", "declined", "pre_screen")
    await notify.announce(tx, declined)
    return declined


def _relate(tx: Tx, application: Application, person: Person, network: str) -> None:
    """Count what came up, and draw the edges it shows (A6-01, N9)."""
    device = application.openid or application.session_id or application.id
    seen = {"device": device, "address": person.address, "person": person.id, "network": network}
    seen |= {"phone": person.phone or "", "openid": application.openid or ""}
    hand = "openid" if application.openid else "device"
    edges = [
        relations.Edge(hand, device, "application"),
        relations.Edge("address", person.address, "application"),
    ]
    if person.phone:
        edges.append(relations.Edge("phone", person.phone, "phone", "own"))
    relations.sight(tx, application.id, person.id, seen, edges)


def _every_step_done(application: Application) -> str:
    """The customer's id. The pages lead through the steps; a program that jumps ahead ends here."""
    applications.require_step(application, "details")
    if application.customer_id is None:
        raise StepMissing(step="identity")
    if application.liveness == "none":
        raise StepMissing(step="liveness")
    return application.customer_id
