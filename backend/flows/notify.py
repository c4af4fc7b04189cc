"""Tell a customer that their case has moved (A3-04, A3-09, N17): once per status, by one means.

The means in order: a customer-service message while the window is open, a subscription notice while a grant is
left, an SMS. A means is written down before it is tried. When its outcome stays unknown it is repeated with
the same key; only a clear no passes the notice on to the next means, so nobody is told twice and nobody never.
A platform that cannot be reached at all has surely sent nothing: after a few attempts the next means has its turn.
Quiet content: what happened and what comes next; no marketing (D4-08).
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec

from backend.core import clock, failpoints
from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import grants, notices, sms, texts
from backend.domains.channels import service as channels
from backend.domains.channels.notices import Means
from backend.domains.customers import service as customers
from backend.domains.loans import service as loans
from backend.domains.regulation import service as regulation
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.integrations.wechat.port import NoSubscription, NotFollowing, WeChatRefused, WindowClosed
from backend.outbox import effects
from backend.outbox.effects import Effect
from backend.overview import application_result

KIND = "notify.status"

TRYING = failpoints.declare("notify.trying", "a means is written down; nothing was sent by it")
CARRIED = failpoints.declare("notify.carried", "the other side has the notice; we have not recorded it")
RESERVED = failpoints.declare("notify.reserved", "a grant is set aside; nothing was sent on it")
SUBSCRIBED = failpoints.declare("notify.subscribed", "a grant is spent over there; here it is only set aside")

TOLD = frozenset(
    {
        "submitted",
        "held",
        "referred",
        "approved",
        "declined",
        "signed",
        "drawn",
        "repaid",
        "expired",
        "cancelled",
    }
)
"""Statuses a customer hears of. The others follow at once on the page the person is looking at."""

PATIENCE = 3
"""Attempts at a means that cannot be reached, before the next one has its turn: about a quarter of a minute."""

PASSING = frozenset({"submitted", "held", "referred"})
"""No longer true once the case has moved on: not sent late. Nor worth one of the scarce grants, which the person
gave for the result (`invite_notice.py`, N17)."""

SEEN_ON_THE_PAGE = frozenset({"submitted"})
"""Not worth an SMS: the person has just seen it."""

PHRASES = {
    "submitted": "已收到",
    "held": "正在办",
    "referred": "人工复核中",
    "approved": "已通过",
    "declined": "未通过",
    "signed": "已签约",
    "drawn": "已用款",
    "repaid": "已还清",
    "expired": "已过期",
    "cancelled": "已撤销",
}
"""At most five characters: the platform takes no more in a phrase."""

SMS_TEMPLATES = {
    "held": "application_held",
    "referred": "application_referred",
    "approved": "application_approved",
    "declined": "application_declined",
    "signed": "signed",
    "drawn": "drawn",
}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the means need, read before anything is sent. `openid` only when it was proved to be this
    person's: a status is personal too (A11-02)."""

    application: Application
    status: str
    openid: str | None
    phone: str | None
    window_open: bool
    text: str


Outcome = str
"""Empty when the notice was carried, else why this means cannot carry it."""


async def announce(tx: Tx, application: Application) -> None:
    """Queue the notice of the application's present status, in the transaction that moved it."""
    if application.status not in TOLD:
        return
    key = f"notice:{application.id}:{application.status}"
    payload: dict[str, object] = {"application_id": application.id, "status": application.status}
    await effects.add(tx, kind=KIND, case_id=application.id, key=key, payload=payload)


async def notify(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises Unavailable when a means may have carried it or may work later."""
    application_id, status = str(effect.payload["application_id"]), str(effect.payload["status"])
    actor, key = system(effect.institution_id, "notify"), notice_key(effect)
    async with context.db.begin(actor) as tx:
        notice = await notices.open(tx, key, application_id, status)
        application = await applications.get(tx, application_id)
        overtaken = status in PASSING and application.status != status
        if overtaken and not notice.ended_at:
            # What may have arrived is not repeated either: "正在看" after "通过了" would be untrue.
            await notices.ended(tx, notice, "overtaken in doubt" if notice.means else "overtaken")
    if notice.ended_at or overtaken:
        return
    case = await _case(context, application, status)
    for means in notice.still_to_try():
        reason = _impossible(case, means)
        if reason and notice.means != means:
            async with context.db.begin(actor) as tx:
                notice = await notices.refused(tx, notice, means, reason)
            continue
        async with context.db.begin(actor) as tx:
            await notices.trying(tx, notice, means)
        failpoints.hit(TRYING)
        refusal = await _try(context, effect, case, notice, means)
        failpoints.hit(CARRIED)
        async with context.db.begin(actor) as tx:
            if not refusal:
                await notices.sent(tx, notice, means)
                return
            notice = await notices.refused(tx, notice, means, refusal)
    async with context.db.begin(actor) as tx:
        await notices.ended(tx, notice, "no means left")


async def again(tx: Tx, notice: notices.Notice) -> None:
    """Queue a notice once more that came back from its means."""
    payload: dict[str, object] = {
        "application_id": notice.case_id,
        "status": notice.about,
        "notice": notice.key,
    }
    await effects.add(tx, kind=KIND, case_id=notice.case_id, key=f"{notice.key}:again", payload=payload)


def notice_key(effect: Effect) -> str:
    return str(effect.payload.get("notice", effect.key))


async def _try(context: Context, effect: Effect, case: Case, notice: notices.Notice, means: Means) -> Outcome:
    """Raises Unavailable while this means may still carry it, or may have."""
    try:
        return await CARRIERS[means](context, notice.key, case)
    except Unavailable as failure:
        if failure.unknown or notice.in_doubt(means):
            raise
        if means != notices.ORDER[-1] and effect.attempts > PATIENCE:
            return f"unavailable: {failure}"
        async with context.db.begin(system(effect.institution_id, "notify")) as tx:
            await notices.not_sent(tx, notice, means)
        raise


def _impossible(case: Case, means: Means) -> Outcome:
    """Why a means need not even be tried, from what we know ourselves."""
    if means == "custom":
        if not case.openid:
            return "no account"
        return "" if case.window_open else "window closed"
    if case.status in SEEN_ON_THE_PAGE:
        return "not worth it"
    if means == "subscription":
        if case.status in PASSING:
            return "saved for the result"
        return "" if case.openid else "no account"
    if case.status not in SMS_TEMPLATES:
        return "no text"
    return "" if case.phone else "no phone"


async def _by_custom_message(context: Context, key: str, case: Case) -> Outcome:
    assert case.openid
    try:
        await context.clients.wechat.send_text(case.openid, case.text, key=f"{key}:custom")
    except (WindowClosed, NotFollowing) as refusal:
        return refusal.code
    except WeChatRefused as refusal:
        return f"errcode {refusal.remote_code}"
    except OutsideRefused as refusal:
        _must_be_there(refusal)
    return ""


def _must_be_there(refusal: OutsideRefused) -> None:
    """The key was used for other words: an earlier attempt arrived although its answer was lost, and the case
    has moved since. The customer has been told; anything else is raised again."""
    if refusal.remote_code != "idempotency_key_reused":
        raise refusal


async def _by_subscription(context: Context, key: str, case: Case) -> Outcome:
    """Grant after grant, since the platform may have forgotten one."""
    assert case.openid
    template = context.settings.wechat_progress_template
    while True:
        async with context.db.read(everywhere("notify")) as tx:
            grant = await grants.find(tx, case.openid, template, key)
        if grant is None:
            return "no grant"
        keeper = system(grant.institution_id, "notify")
        async with context.db.begin(keeper) as tx:
            if not await grants.reserve(tx, grant, key):
                continue
        failpoints.hit(RESERVED)
        try:
            number = await _send_subscription(context, case, template, key=f"{key}:{grant.id}")
        except NoSubscription:
            async with context.db.begin(keeper) as tx:
                await grants.void(tx, grant)
            continue
        except (WeChatRefused, Unavailable) as refusal:
            if isinstance(refusal, Unavailable) and refusal.unknown:
                raise
            async with context.db.begin(keeper) as tx:
                await grants.release(tx, grant, key)
            if isinstance(refusal, Unavailable):
                raise
            return f"errcode {refusal.remote_code}"
        except OutsideRefused as refusal:
            _must_be_there(refusal)
            number = ""
        failpoints.hit(SUBSCRIBED)
        async with context.db.begin(keeper) as tx:
            await grants.used(tx, grant, number)
        return ""


async def _send_subscription(context: Context, case: Case, template: str, *, key: str) -> str:
    """The platform's number of the notice."""
    assert case.openid
    page = _url(context, case.application)
    answer = await context.clients.wechat.send_subscription(
        case.openid, template, _fields(case), page=page, key=key
    )
    return str(answer.get("msgid", ""))


async def _by_sms(context: Context, key: str, case: Case) -> Outcome:
    application, template = case.application, SMS_TEMPLATES[case.status]
    assert case.phone
    try:
        sent = await context.clients.sms.send(
            phone=case.phone,
            template=template,
            parameters={"application_no": application.application_no, "until": _until(application)},
            case_id=application.id,
            key=f"{key}:sms",
        )
    except OutsideRefused as refusal:
        _must_be_there(refusal)
        return ""
    async with context.db.begin(system(application.institution_id, "notify")) as tx:
        await sms.accepted(tx, sent.message_id, application.id, template, sent.accepted_at)
    return ""


CARRIERS: dict[Means, Callable[[Context, str, Case], Awaitable[Outcome]]] = {
    "custom": _by_custom_message,
    "subscription": _by_subscription,
    "sms": _by_sms,
}


async def _case(context: Context, application: Application, status: str) -> Case:
    async with context.db.read(system(application.institution_id, "notify")) as tx:
        openid, phone = None, None
        if application.customer_id:
            openid = await customers.openid_of(tx, application.customer_id)
            phone = (await customers.get(tx, application.customer_id)).phone
        values = await _figures(tx, application, status)
    async with context.db.read(everywhere("notify")) as tx:
        window_open = openid is not None and await channels.window_open(tx, openid)
    number, until, url = application.application_no, _until(application), _url(context, application)
    text = texts.notice(status, number=number, until=until, url=url, **values)
    return Case(
        application=application,
        status=status,
        openid=openid,
        phone=phone,
        window_open=window_open,
        text=text,
    )


async def _figures(tx: Tx, application: Application, status: str) -> dict[str, object]:
    """What A3-09 asks to be said at once: amount, rate, all-in cost; why not, and how long a review takes; the debt."""
    offer, outstanding, reasons = None, "", []
    days = (await regulation.in_force(tx, clock.today())).count("human_review.working_days")
    if status in ("approved", "declined"):
        result = await application_result.of(tx, application)
        reasons = [reason.text for reason in result.reasons if reason.effect == "minus"]
        if status == "approved" and (found := result.offer):
            until = found.valid_until
            offer = {
                "amount": _yuan(found.limit_fen),
                "rate": _percent(found.annual_rate),
                "all_in": _percent(found.all_in_cost),
                "months": found.term_months,
                "until": f"{until.year}年{until.month}月{until.day}日",
            }
    if status == "drawn":
        owed = sum(loan.outstanding_fen for loan in await loans.of_application(tx, application.id))
        outstanding = _yuan(owed) if owed else ""
    return {"offer": offer, "outstanding": outstanding, "reasons": reasons, "review_days": days}


def _fields(case: Case) -> dict[str, str]:
    """The progress template's fields; `thing` holds at most 20 characters, `phrase` 5."""
    moment = clock.local(clock.now())
    return {
        "character_string1": case.application.application_no,
        "phrase2": PHRASES[case.status],
        "time3": f"{moment:%Y-%m-%d %H:%M}",
        "thing4": "点开看结果和下一步",
    }


def _url(context: Context, application: Application) -> str:
    return f"{context.settings.public_base.rstrip('/')}/my/{application.application_no}"


def _until(application: Application) -> str:
    if application.promised_at is None:
        return ""
    moment = clock.local(application.promised_at)
    return f"{moment.month}月{moment.day}日 {moment:%H:%M}"


def _yuan(fen: int) -> str:
    whole, rest = divmod(fen, 100)
    return f"{whole:,}.{rest:02d}" if rest else f"{whole:,}"


def _percent(rate: Decimal) -> str:
    return f"{rate * 100:.2f}%"
