"""What the platform reports about a subscription notice it took (subscribe_msg_sent_event): shown, or not (N17).

Not shown means the person has not been told: the notice is opened again for the next means.
"""

from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.domains.channels import grants, notices
from backend.flows import notify, remind_due, remind_overdue, send_answer
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "notice.report"
SUCCESS = "0"
AGAIN = {each.ABOUT: each.again for each in (send_answer, remind_due, remind_overdue)}
"""Who queues a notice once more, by what it is about; all others tell of a status."""
PATIENCE = 5
"""The report may overtake the record of our own call; later than that it is of nothing we sent."""


class NotYetKnown(Unavailable):
    code = "notice_not_yet_known"
    message = "这条通知的记录还没有写好"


async def queue(tx: Tx, message_id: str, error_code: str) -> None:
    """Keep the report in the transaction of the message that brought it."""
    payload: dict[str, object] = {"message_id": message_id, "error_code": error_code}
    await effects.add(tx, kind=KIND, case_id="", key=f"report:{message_id}", payload=payload)


async def take_notice_report(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises `NotYetKnown` while our own record may still come."""
    message_id, error_code = str(effect.payload["message_id"]), str(effect.payload["error_code"])
    async with context.db.read(everywhere("notify")) as tx:
        found = await grants.of_message(tx, message_id)
        owner = await notices.institution_of(tx, found[1]) if found else None
    if found is None:
        if effect.attempts <= PATIENCE:
            raise NotYetKnown()
        return
    grant, key = found
    report = "success" if error_code == SUCCESS else error_code
    async with context.db.begin(system(grant.institution_id, "notify")) as tx:
        await grants.reported(tx, grant, report)
    if report == "success" or owner is None:
        return
    async with context.db.begin(system(owner, "notify")) as tx:
        if (notice := await notices.came_back(tx, key, f"report {report}")) is not None:
            await AGAIN.get(notice.about, notify.again)(tx, notice)
