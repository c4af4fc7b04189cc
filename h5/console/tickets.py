"""What customers ask of a person: 人工 and 投诉 from the bot, and reports about codes; each answered once."""

from datetime import datetime

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import REPORT_KINDS, Report, ReportAnswered, Verification
from backend.domains.channels import notices, tickets
from backend.domains.channels.model import Ticket
from backend.domains.customers import erasure_requests
from backend.domains.customers import service as customers
from backend.domains.customers.erasure_requests import (
    ErasureKept,
    ErasureMoved,
    ErasureRequest,
    ErasureYours,
)
from backend.domains.customers.model import MaskedPerson
from backend.domains.identity import service as identity
from backend.flows import erase_on_request, send_answer
from backend.outbox import effects
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

ANSWERERS = ("county_admin", "head_office_admin")
"""A county answers its own; head office what came through no county, which nobody else would see."""

READERS = ("county_admin", "auditor", "head_office_admin")
SHOW = "console/tickets/show.html"
KINDS = {"human": "客户要找人", "complaint": "投诉", "erasure": "客户要删信息"}
REASONS = {"human": "答复客户找人工", "complaint": "答复投诉", "erasure": "核对要删信息的是不是本人"}
"""Why the number is looked at, unless the person who does it writes something else."""


OUTCOMES = {
    "trying": "正在送",
    "window closed": "客户 48 小时里没有说过话，不能发",
    "no account": "不知道客户的微信",
    "no grant": "客户没有留着的订阅",
    "no phone": "没有验证过的手机号",
}
"""What came of a means, in words; what is not here is a refusal of the platform."""


class Sending(msgspec.Struct, frozen=True):
    """What became of an answer that is sent. `means` carried it at `sent_at`; `steps` are the others, with why not.
    `over`: nothing is left to try."""

    means: str
    sent_at: datetime | None
    steps: tuple[tuple[str, str], ...]
    over: bool
    dead: bool


class Erasing(msgspec.Struct, frozen=True):
    """Of a ticket that asks to be forgotten: `kept` why that cannot be now, `request` what is under way, by whom;
    `mine` when whoever looks proposed it."""

    kept: str
    request: ErasureRequest | None
    asked_by: str
    mine: bool
    may: bool
    may_refuse: bool
    told: str = ""

    @property
    def waits(self) -> bool:
        """A second person is to say whether."""
        return self.request is not None and self.request.agreed is None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`person` is None while nobody knows who asked. `phone` is the full number, only in the answer to a request
    that gave its reason. `errors` by field."""

    ticket: Ticket
    kind: str
    reason: str
    person: MaskedPerson | None
    may_answer: bool
    may_call: bool
    action: str
    phone: str = ""
    text: str = ""
    told: bool = False
    sending: Sending | None = None
    erasing: Erasing | None = None
    errors: dict[str, str] = {}


class ShownReport(msgspec.Struct, frozen=True, kw_only=True):
    """`about` is the code the report is about, None for nobody in particular."""

    report: Report
    kind: str
    about: Verification | None
    officer_path: str
    may_answer: bool
    action: str
    text: str = ""
    error: str = ""


@get("/console/tickets/{institution_id:str}/{number:str}", opt=staff.only(*READERS))
async def show(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _ticket(here, institution_id, number))


@post(
    "/console/tickets/{institution_id:str}/{number:str}",
    opt=staff.only(*ANSWERERS),
    fields=("answer", "way"),
)
async def answer(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    """Keep the answer and send it, or keep what the customer was told already. Sent twice, it is kept once."""
    here, form = staff.here(request), await forms.texts(request)
    text, told = form.get("answer", ""), form.get("way") == "told"
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            before = await tickets.get(tx, number)
            await _require_answerable(here, tx, before)
            kept = await tickets.answer(tx, number, text)
            if before.status == "open" and not told:
                await send_answer.announce(tx, kept)
    except Invalid as problem:
        view = await _ticket(here, institution_id, number, text=text, told=told, errors=problem.fields)
        return here.show(SHOW, view, 422)
    return here.go(f"/console/tickets/{institution_id}/{number}")


@post(
    "/console/tickets/{institution_id:str}/{number:str}/erasure",
    opt=staff.only(*erase_on_request.MAY),
    fields=("act",),
)
async def erase(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    """删除信息: one proposes, another agrees; or the page says why not."""
    here, act = staff.here(request), (await forms.texts(request)).get("act", "")
    if act not in erase_on_request.ACTS:
        return here.show(SHOW, await _ticket(here, institution_id, number, erasure_told="请选怎么办"), 422)
    try:
        await erase_on_request.erase_on_request(here.context, here.within(institution_id), number, act)
    except (ErasureKept, ErasureMoved, ErasureYours) as late:
        return here.show(SHOW, await _ticket(here, institution_id, number, erasure_told=late.text), 409)
    return here.go(f"/console/tickets/{institution_id}/{number}")


@post(
    "/console/tickets/{institution_id:str}/{number:str}/phone",
    opt=staff.only("county_admin"),
    fields=("reason",),
)
async def phone(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    """The number in full, to call who waits for this answer: with a reason, and a row in the audit log (D3-15)."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            ticket = await tickets.get(tx, number)
            if ticket.customer_id is None or ticket.status != "open":
                return here.go(f"/console/tickets/{institution_id}/{number}")
            person = await customers.reveal(tx, ticket.customer_id, form.get("reason", ""))
    except Invalid as problem:
        errors = {"reason": problem.text}
        return here.show(SHOW, await _ticket(here, institution_id, number, errors=errors), 422)
    full = person.phone or "还没有验证手机号"
    return here.show(SHOW, await _ticket(here, institution_id, number, phone=full))


@get("/console/reports/{institution_id:str}/{number:str}", opt=staff.only(*READERS))
async def report(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show("console/tickets/report.html", await _report(here, institution_id, number))


@post(
    "/console/reports/{institution_id:str}/{number:str}", opt=staff.only("county_admin"), fields=("answer",)
)
async def answer_report(request: Request, institution_id: FromPath[str], number: FromPath[str]) -> Response:
    here, text = staff.here(request), (await forms.texts(request)).get("answer", "")
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            await campaigns.get_report(tx, number)
            await campaigns.answer_report(tx, number, tickets.kept(text))
    except Invalid as problem:
        view = await _report(here, institution_id, number, text, problem.fields["answer"])
        return here.show("console/tickets/report.html", view, 422)
    except ReportAnswered:
        if (await _report(here, institution_id, number)).report.answer != text:
            raise
    return here.go(f"/console/reports/{institution_id}/{number}")


def _answers(here: Here, institution_id: str) -> bool:
    """Whose ticket it is to answer: the institution's own people, never head office for a county."""
    return here.has(*ANSWERERS) and here.person.institution_id == institution_id


async def _require_answerable(here: Here, tx: Tx, ticket: Ticket) -> None:
    """Not what another institution answers, nor what is answered by itself once a second person agreed to forget."""
    if not _answers(here, tx.institution_id):
        raise Invalid(fields={"answer": "这件由县里的管理员答复"})
    if ticket.ticket_no in await erasure_requests.asked(tx):
        raise Invalid(fields={"answer": "已经提出删除，同意以后系统来答复。要自己写答复，先点“不删了”"})


async def _ticket(
    here: Here,
    institution_id: str,
    number: str,
    *,
    phone: str = "",
    text: str = "",
    told: bool = False,
    errors: dict[str, str] | None = None,
    erasure_told: str = "",
) -> Shown:
    async with here.context.db.read(here.within(institution_id)) as tx:
        ticket = await tickets.get(tx, number)
        person = await customers.view(tx, ticket.customer_id) if ticket.customer_id else None
        sending = await _sending(tx, number)
        erasing = await _erasing(here, tx, ticket, erasure_told) if ticket.kind == "erasure" else None
    proposed = erasing is not None and erasing.waits
    mine = _answers(here, institution_id) and ticket.status == "open"
    return Shown(
        ticket=ticket,
        kind=KINDS[ticket.kind],
        reason=REASONS[ticket.kind],
        person=person,
        may_answer=mine and (not proposed or "answer" in (errors or {})),
        may_call=mine and here.has("county_admin"),
        action=f"/console/tickets/{institution_id}/{number}",
        phone=phone,
        text=text,
        told=told,
        sending=sending,
        erasing=erasing,
        errors=errors or {},
    )


async def _erasing(here: Here, tx: Tx, ticket: Ticket, told: str) -> Erasing | None:
    """None while nobody knows who asked."""
    if ticket.customer_id is None:
        return None
    request = await erasure_requests.of_ticket(tx, ticket.ticket_no)
    over = request is not None and (request.done_at or (request.agreed is None and ticket.status != "open"))
    kept = "" if over else await erase_on_request.kept_by(tx, ticket)
    names = {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}
    asked_by = names.get(request.asked_by, "省联社") if request else ""
    mine = request is not None and request.asked_by == f"staff:{here.person.id}"
    may = here.has(*erase_on_request.MAY)
    return Erasing(kept, request, asked_by, mine, may and ticket.status == "open", may, told)


async def _sending(tx: Tx, number: str) -> Sending | None:
    """None for an answer that was told and not sent, and before there is one."""
    queued = [each for each in await effects.of_case(tx, number) if each.kind == send_answer.KIND]
    if not queued:
        return None
    found = next(iter(await notices.of_case(tx, number)), None)
    steps = [step for step in found.steps if step["means"] != found.means] if found else []
    return Sending(
        means=notices.LABELS.get(found.means or "", "") if found else "",
        sent_at=found.sent_at if found else None,
        steps=tuple((notices.LABELS[s["means"]], OUTCOMES.get(s["outcome"], "平台没有收")) for s in steps),
        over=bool(found and found.ended_at),
        dead=any(each.status == "dead" for each in queued),
    )


async def _report(
    here: Here, institution_id: str, number: str, text: str = "", error: str = ""
) -> ShownReport:
    async with here.context.db.read(here.within(institution_id)) as tx:
        found = await campaigns.get_report(tx, number)
        about = await campaigns.verify_id(tx, found.code_id) if found.code_id else None
    officer = about.officer.id if about and about.officer else ""
    return ShownReport(
        report=found,
        kind=REPORT_KINDS[found.kind],
        about=about,
        officer_path=f"/console/officers/{institution_id}/{officer}" if officer else "",
        may_answer=here.has("county_admin") and found.answered_at is None,
        action=f"/console/reports/{institution_id}/{number}",
        text=text,
        error=error,
    )
