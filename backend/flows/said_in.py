"""Whose word a case is judged by: one that goes on from another says what its customer said there (`begin_again`)."""

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.reviews import service as reviews

ASKED_AGAIN = "asked_again"
"""The event of a case whose customer shows their face, agrees and hands it in anew, instead of the old word."""


async def said_in(tx: Tx, application: Application) -> Application:
    """Itself, or the case it went on from, back to the last that its customer handed in."""
    while application.channel == "review" and not await applications.last_event(tx, application, ASKED_AGAIN):
        before = await reviews.came_from(tx, application.id)
        if before is None:
            break
        application = await applications.get(tx, before)
    return application
