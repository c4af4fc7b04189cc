"""删除信息: who asks to be forgotten, is, when law and contract let us; the answer goes out before the address is gone
(D3-06).

One person proposes on the ticket, another agrees: that answers the ticket. The job (`carry_out`) forgets the person, by
the same transaction as when the promised time is over, once the answer has left or cannot.
"""

from datetime import date

import structlog

from backend.core import clock, money
from backend.core.actor import Actor, everywhere, system
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.channels import tickets
from backend.domains.channels.model import Ticket
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.customers import erasing, erasure_requests
from backend.domains.customers import service as customers
from backend.domains.customers.erasure_requests import ErasureKept, ErasureMoved
from backend.domains.identity.model import NotYours
from backend.domains.loans import service as loans
from backend.domains.regulation import service as regulation
from backend.flows import forget_person, send_answer
from backend.flows.context import Context
from backend.outbox import effects

log = structlog.get_logger("erase")

ACTS = ("ask", "agree", "refuse")
MAY = ("county_admin", "head_office_admin")
ANSWER = (
    "您要删除的信息今天就删：姓名、证件、电话、住址、照片和在这里说过的话，以后找不回来。"
    "法律要求留的授权证明会留着，只能由您本人拿证件来核对，看不出是谁。"
)
WHY = {
    "person": "客户已冻结。先由两个人解除冻结",
    "application": "有申请还没有结束。等它办完或客户撤回以后再删",
    "contract": "有一份合同还没有作废。作废以后再删",
    "loan": "有贷款。反洗钱法要求从业务结束起保存 10 年",
    "guarantee": "替别人担保着，或担保过的合同签了。担保结束、保存满 10 年以后才能删",
    "review": "有人工审查还没有答复。答复以后再删",
    "recheck": "有一笔审批正在抽查。查完以后再删",
    "ticket": "还有别的投诉或人工没有答复。答复以后再删",
    "finding": "有一件关系核查没有办完。办完以后再删",
    "consent": "刚刚又给了新的授权。先问清客户还要不要删",
    "effect": "还有消息正在送。过几分钟再试",
}


async def erase_on_request(context: Context, actor: Actor, ticket_no: str, act: str) -> None:
    """`act`: ask, agree or refuse. Raises `NotYours`, `TicketNotFound`, `ErasureKept`, `ErasureMoved`,
    `ErasureYours`."""
    if not actor.has(*MAY):
        raise NotYours()
    async with context.db.begin(actor) as tx:
        ticket = await tickets.get(tx, ticket_no)
        # A proposal that an answer overtook can still be taken off the desk.
        over = ticket.status != "open" and act != "refuse"
        if ticket.kind != "erasure" or ticket.customer_id is None or over:
            raise ErasureMoved()
        if act == "ask":
            await _require_nothing_keeps(tx, ticket)
            await erasure_requests.ask(tx, ticket.customer_id, ticket_no)
            return
        request = await erasure_requests.of_ticket(tx, ticket_no)
        if request is None:
            raise ErasureMoved()
        await erasure_requests.check(tx, request, agreed=act == "agree")
        if act == "agree":
            await send_answer.announce(tx, await tickets.answer(tx, ticket_no, ANSWER))
            await _require_nothing_keeps(tx, ticket)


async def kept_by(tx: Tx, ticket: Ticket) -> str:
    """Why the person is not to be forgotten now, in words; empty for nothing in the way. Their open wish is none."""
    assert ticket.customer_id is not None
    found = await erasing.seen_to_keep(tx, ticket.customer_id, tx.now)
    if found == "ticket" and ticket.status == "open" and not await _others_open(tx, ticket):
        return ""
    if found in ("application", "contract", "loan") and (law := await _law(tx, ticket.customer_id)):
        return law
    return WHY[found] if found else ""


async def _law(tx: Tx, customer_id: str) -> str:
    """How long the law keeps who signed a contract, and until when, where that can be said already; empty for who
    never did."""
    months = (await regulation.in_force(tx, clock.today())).count("retention.identity_months")
    said = f"签过贷款合同。反洗钱法要求从业务结束起保存 {months // 12} 年"
    ends: list[date] = []
    for application in await applications.of_customer(tx, customer_id):
        contract = await contracts.of_application(tx, application.id)
        lent = await loans.of_application(tx, application.id)
        if any(each.paid_off_at is None for each in lent):
            return f"{said}，现在还有贷款没有还清，从还清那天算起"
        if contract is not None and contract.signed_at is not None:
            ends.append(contract_rules.line_until(contract))
        ends += [clock.local(each.paid_off_at).date() for each in lent if each.paid_off_at]
    if not ends:
        return ""
    return f"{said}，最早到 {money.add_months(max(ends), months):%Y 年 %-m 月 %-d 日}，到期以前不能删"


async def _require_nothing_keeps(tx: Tx, ticket: Ticket) -> None:
    if why := await kept_by(tx, ticket):
        raise ErasureKept(why=why)


async def _others_open(tx: Tx, ticket: Ticket) -> bool:
    asked = await tickets.list_open(tx, 10_000)
    mine = [
        t for t in asked if t.customer_id == ticket.customer_id or (t.openid and t.openid == ticket.openid)
    ]
    return any(each.ticket_no != ticket.ticket_no for each in mine)


async def carry_out(context: Context) -> int:
    """Forgets everybody two people agreed about and who was answered; how many. Broken off anywhere, it goes on."""
    async with context.db.read(everywhere("erase")) as tx:
        due = await erasure_requests.due(tx)
    count = 0
    for institution_id, request in due:
        actor = system(institution_id, "erase")
        async with context.db.read(actor) as tx:
            queued = await effects.of_case(tx, request.ticket_no)
            gone = (await customers.view(tx, request.customer_id)).status == "erased"
            now = tx.now
        if any(e.kind == send_answer.KIND and e.status in ("waiting", "delivering") for e in queued):
            continue
        if not gone and not await forget_person.forget_person(context, actor, request.customer_id, now):
            log.warning("a person who is to be forgotten is kept again", ticket=request.ticket_no)
            continue
        async with context.db.begin(actor) as tx:
            await erasure_requests.done(tx, request)
        count += 1
    return count
