"""当面核对保证人: at the branch, by the card, where somebody wants no face check (D3-13, A1-08)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import GuaranteeMoved, NotYoursToSee
from backend.flows import own_case
from backend.flows.context import Context

SEEN = "guarantor_seen"


async def see_guarantor(context: Context, actor: Actor, guarantee_id: str) -> Application:
    """The guarantee goes on to the promise, which the guarantor still gives on their own phone; returns the case.
    Said twice, the first time counts.

    Raises `LinkGone` for an id of another institution, `NotYoursToSee` for the officer of the case and the borrower,
    `GuaranteeMoved` when nobody waits to be seen.
    """
    async with context.db.begin(actor) as tx:
        found = await guarantees.get(tx, guarantee_id)
        application = await applications.get(tx, found.application_id, lock=True)
        guarantee = await guarantees.get(tx, guarantee_id, lock=True)
        if application.officer_id == actor.id or await own_case.own_case(tx, application):
            raise NotYoursToSee()
        if guarantee.liveness == "seen":
            return application
        if guarantee.over(tx.now):
            raise GuaranteeMoved()
        await guarantees.pass_liveness(tx, guarantee, "seen")
        await applications.note(tx, application, SEEN)
        return application
