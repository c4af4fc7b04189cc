"""不在网上授权: the person wants to apply at the branch; somebody there knows they are coming (D3-01, D3-04)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.channels import tickets
from backend.flows.context import Context

_TEXT = "客户不在网上授权，希望到网点办理。申请编号 {number}，方式：{way}"
_WAYS = {"branch": "到网点", "visit": "请客户经理上门"}


async def go_to_branch(context: Context, actor: Actor, application_id: str, way: str) -> str:
    """The number of the ticket; asked twice, it is the same one. The draft stays where it is.

    Raises `StepMissing`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "phone")
        before = await applications.last_event(tx, application, "wants_branch")
        if before is not None:
            return before.why
        ticket = await tickets.open(
            tx,
            kind="human",
            text=_TEXT.format(number=application.application_no, way=_WAYS.get(way, "到网点")),
            openid=application.openid or "",
            customer_id=application.customer_id,
            owner_id=application.officer_id,
        )
        await applications.note(tx, application, "wants_branch", ticket.ticket_no)
        return ticket.ticket_no
