"""没送到的通知: effects that could not be delivered, and sending one again (trust 1)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.domains.applications import service as applications
from backend.domains.institutions.model import Institution
from backend.flows import revive_effect
from backend.outbox import effects
from backend.outbox.effects import DeadLetter
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.turning import Turn, turn

PATH, SHOW, PAGE = "/console/dead-letters", "console/dead_letters/show.html", 50
READERS = ("risk_analyst", "county_admin", "head_office_admin", "auditor")
SENDERS = ("risk_analyst", "county_admin", "head_office_admin")
KINDS = {
    "application.decide": "审批",
    "application.hand_off": "转手机银行",
    "mobile_bank.offer": "把额度送到手机银行",
    "mobile_bank.apply": "记下手机银行的回报",
    "image.archive": "照片送影像平台",
    "survey.archive_photo": "调查的现场照片送影像平台",
    "person.forget": "匿名之后请影像平台删照片",
    "sms.send": "短信",
    "notify.status": "告诉客户进度",
    "notify.due": "还款日提醒",
    "notify.answer": "把答复送给客户",
    "collection.remind": "催收提醒",
    "notice.report": "记下通知送没送到",
    "notice.rejected": "记下客户不再收通知",
    "strategy.measure": "测算策略对以往业务的影响",
    "trial.step": "回测",
    "batch.step": "批量评分",
    "model.train": "训练模型",
}
ERRORS = {
    "outside_refused": "对方系统没有受理",
    "timeout": "对方太久没有回答",
    "database_down": "数据库当时不可用",
    "worker_lost": "办到一半被打断，一直没办完",
}


class Line(msgspec.Struct, frozen=True):
    """`number` is the application it is about, empty for what belongs to none."""

    letter: DeadLetter
    number: str
    kind: str
    why: str
    action: str
    error: str = ""


class DeadLetters(msgspec.Struct, frozen=True):
    """`counties` for head office to choose from; empty for a county. `sent` says one was just put back."""

    lines: tuple[Line, ...]
    turn: Turn
    county: Institution
    counties: tuple[Institution, ...]
    fresh: bool
    may_send: bool
    sent: bool = False


@get("/console/dead-letters", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    institution_id = await staff.chosen(here)
    return here.show(SHOW, await _view(here, institution_id, sent="sent" in request.query_params))


@post(
    "/console/dead-letters/{institution_id:str}/{effect_id:str}", opt=staff.only(*SENDERS), fields=("reason",)
)
async def send_again(request: Request, institution_id: FromPath[str], effect_id: FromPath[str]) -> Response:
    """Put a dead letter back in line, with the reason in the audit log and a fresh proof of who does it."""
    here, form = staff.here(request), await forms.texts(request)
    actor = here.within(institution_id)
    here.require_fresh(f"/console/dead-letters?in={institution_id}")
    try:
        await revive_effect.revive_effect(here.context, actor, effect_id, form.get("reason", ""))
    except Invalid as problem:
        view = await _view(here, institution_id, wrong=(effect_id, problem.fields["reason"]))
        return here.show(SHOW, view, 422)
    return here.go(f"/console/dead-letters?in={institution_id}&sent=1")


async def _view(
    here: Here, institution_id: str, *, sent: bool = False, wrong: tuple[str, str] = ("", "")
) -> DeadLetters:
    async with here.context.db.read(here.within(institution_id)) as tx:
        turned = turn(here, PATH, institution_id, "letters", await effects.dead_total(tx), PAGE)
        dead = await effects.dead(tx, PAGE, turned.skipped)
        numbers = await applications.numbers(tx, (letter.case_id for letter in dead))
    lines = tuple(
        Line(
            letter,
            numbers.get(letter.case_id, ""),
            KINDS.get(letter.kind, letter.kind),
            _why(letter.last_error or ""),
            f"{PATH}/{institution_id}/{letter.id}{turned.here}",
            wrong[1] if wrong[0] == letter.id else "",
        )
        for letter in dead
    )
    return DeadLetters(
        lines,
        turned,
        await staff.institution(here, institution_id),
        await staff.counties(here),
        here.fresh(),
        here.has(*SENDERS),
        sent,
    )


def _why(error: str) -> str:
    """The first word is the kind of error, what follows (their status and code) is for the log."""
    code = error.partition(" ")[0]
    if code.endswith("_unavailable"):
        return "72 小时都连不上对方系统"
    return ERRORS.get(code, "程序没有办成，再送还不行就请告诉技术人员")
