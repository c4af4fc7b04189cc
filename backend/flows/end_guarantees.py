"""申请结束，担保跟着结束: open links go, given guarantees are released, in the transaction that ends the case."""

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.guarantees import service as guarantees
from backend.flows import forget_guarantor

RELEASED = "guarantor_released"


async def end_guarantees(tx: Tx, application: Application) -> None:
    """For a case that was cancelled or ran out. The photographs of open ones go within the day."""
    for each in await guarantees.close(tx, application.id):
        await applications.note(tx, application, RELEASED)
        if each.status != "confirmed":
            await forget_guarantor.forget_guarantor(tx, each)
