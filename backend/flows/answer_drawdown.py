"""核实用款: a person looks at a held drawdown and lets this one pass or not (A7-06, D2-07).

The officer of the line, a reviewer or the county's administrator. The customer taps 用款 again; the check runs anew.
"""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.post_loan import drawdowns
from backend.domains.post_loan.model import CheckMissing
from backend.domains.post_loan.warnings import LIFTERS
from backend.domains.regulation import service as regulation
from backend.flows import own_case


async def answer_drawdown(db: Database, actor: Actor, check_id: str, status: str, found: str) -> None:
    """`status`: released or rejected. Raises `CheckMissing`, also for a colleague's line and for one's own debt;
    `CheckAnswered`, `AnswerInvalid`."""
    async with db.begin(actor) as tx:
        check = await drawdowns.get(tx, check_id)
        application = await applications.get(tx, check.application_id, lock=True)
        mine = actor.has(*LIFTERS) or application.officer_id == actor.id
        if not mine or await own_case.own_case(tx, application):
            raise CheckMissing()
        hours = (await regulation.in_force(tx, clock.today())).count("drawdown.release_hours")
        await drawdowns.answer(tx, check, status, found, timedelta(hours=hours))
        await applications.note(tx, application, f"drawdown_{status}", check.request_no)
