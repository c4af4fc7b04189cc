"""打开担保链接: the first browser to take it up is the only one that goes on with it (A1-08)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import LinkTaken
from backend.domains.identity import service as identity
from backend.domains.identity.quota import Limit
from backend.flows.context import Context
from backend.flows.require_guarantee import still_stands
from backend.flows.start_application import TooManyStarts

OPENED = "guarantor_opened"
FROM_ADDRESS = Limit("guarantee-address", 300, 3600, TooManyStarts)
"""Links taken up from one network address; generous, since a whole village may share one."""


async def open_guarantee(
    context: Context, actor: Actor, link_token: str, session_token: str, *, address: str = ""
) -> None:
    """The browser of `session_token` goes on with it; again from the same browser is fine.

    Raises `LinkGone`; `LinkTaken` when another browser has it.
    """
    async with context.db.begin(actor) as tx:
        await FROM_ADDRESS.take_at(tx, address)
        found = await guarantees.by_token(tx, link_token)
        application = await applications.get(tx, found.application_id, lock=True)
        guarantee = await guarantees.get(tx, found.id, lock=True)
        await still_stands(tx, guarantee, application)
        session = await identity.customer_session(tx, session_token)
        if guarantee.status == "opened":
            if session is None or guarantee.session_id != session.id:
                raise LinkTaken()
            return
        if session is None:
            session, _ = await identity.new_customer_session(tx, token=session_token)
        await guarantees.open_up(tx, guarantee, session.id)
        await applications.note(tx, application, OPENED)
