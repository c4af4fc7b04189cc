"""Tell a customer that their case has moved (A3-04, A3-09, N17): once per status, by one means (`carry_notice`).

Quiet content: what happened and what comes next; no marketing (D4-08).
"""

from datetime import timedelta
from decimal import Decimal

from backend.core import clock
from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import notices, texts
from backend.domains.channels.notices import Means
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.loans import service as loans
from backend.domains.regulation import service as regulation
from backend.flows import carry_notice
from backend.flows.carry_notice import Message
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect
from backend.overview import application_result, guarantors

KIND = "notify.status"


TOLD = frozenset(
    {
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

GUARANTORS = frozenset({"guarantor_confirmed", "guarantor_refused"})
"""What a borrower hears of the people asked to answer for the line: never why not, never who (D3-02)."""

ASKED_AGAIN = "asked_again"
"""The case goes on once the customer has shown their face, agreed and handed it in anew (`begin_again`)."""

PASSING = frozenset({"submitted", "held", "referred"})
"""No longer true once the case has moved on: not sent late. Nor worth one of the scarce grants, which the person
gave for the result (`invite_notice.py`, N17)."""

RECEIVED, RECEIVED_AFTER = "submitted", timedelta(seconds=20)
"""Who hears the decision within seconds needs no word that the application has come: the next word takes its place."""

SEEN_ON_THE_PAGE = frozenset({RECEIVED})
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
    "guarantor_confirmed": "有人担保",
    "guarantor_refused": "担保没成",
    ASKED_AGAIN: "请再确认",
}
"""At most five characters: the platform takes no more in a phrase."""

SMS_TEMPLATES = {
    "held": "application_held",
    "referred": "application_referred",
    "approved": "application_approved",
    "declined": "application_declined",
    "signed": "signed",
    "drawn": "drawn",
    "guarantor_confirmed": "guarantor_confirmed",
    "guarantor_refused": "guarantor_refused",
    ASKED_AGAIN: "application_asked_again",
}

BEFORE_GUARANTORS = "approved_before_guarantors"
"""Instead of the word that one may sign: nobody can before the guarantors have confirmed (A8-12)."""


async def announce(tx: Tx, application: Application) -> None:
    """Queue the notice of the application's present status, in the transaction that moved it.

    It may leave a second later, with all of that second: whoever decides wakes nobody for it and goes on deciding.
    """
    if application.status in TOLD:
        await _queue(tx, application.id, application.status, overtakes=_key(application.id, RECEIVED))


async def announce_first(tx: Tx, application_id: str, status: str) -> None:
    """As `announce`, of a case that nothing was told of yet, as it goes to `status`."""
    await _queue(tx, application_id, status)


async def announce_received(tx: Tx, application: Application) -> None:
    """Queue the word that the application has come, for one that is not decided at once."""
    await _queue(tx, application.id, RECEIVED, delay=RECEIVED_AFTER)


async def announce_asked_again(tx: Tx, application: Application) -> None:
    """Queue the word that the customer is asked to show and agree again."""
    await _queue(tx, application.id, ASKED_AGAIN)


async def _queue(
    tx: Tx, application_id: str, status: str, *, delay: timedelta | None = None, overtakes: str | None = None
) -> None:
    await effects.add(
        tx,
        kind=KIND,
        case_id=application_id,
        key=_key(application_id, status),
        payload={"application_id": application_id, "status": status},
        delay=delay,
        wake=False,
        overtakes=overtakes,
    )


def _key(application_id: str, status: str) -> str:
    return f"notice:{application_id}:{status}"


async def announce_guarantor(tx: Tx, application: Application, guarantee_id: str, about: str) -> None:
    """Queue what became of somebody the borrower asked, in the transaction that decided it; `about` is one of
    `GUARANTORS`."""
    key = f"notice:{application.id}:{guarantee_id}:{about}"
    payload: dict[str, object] = {"application_id": application.id, "status": about}
    await effects.add(tx, kind=KIND, case_id=application.id, key=key, payload=payload)


async def notify(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises Unavailable as `carry_notice`."""
    application_id, status = str(effect.payload["application_id"]), str(effect.payload["status"])
    async with context.db.begin(system(effect.institution_id, "notify")) as tx:
        notice = await notices.open(tx, carry_notice.notice_key(effect), application_id, status)
        application = await applications.get(tx, application_id)
        overtaken = status in PASSING and application.status != status
        if overtaken and not notice.ended_at:
            # What may have arrived is not repeated either: "正在看" after "通过了" would be untrue.
            await notices.ended(tx, notice, "overtaken in doubt" if notice.means else "overtaken")
    if notice.ended_at or overtaken:
        return
    message = await _message(context, application, status)
    await carry_notice.carry_notice(context, effect, notice, message)


async def again(tx: Tx, notice: notices.Notice) -> None:
    """Queue a notice once more that came back from its means."""
    payload: dict[str, object] = {
        "application_id": notice.case_id,
        "status": notice.about,
        "notice": notice.key,
    }
    await effects.add(tx, kind=KIND, case_id=notice.case_id, key=f"{notice.key}:again", payload=payload)


async def _message(context: Context, application: Application, status: str) -> Message:
    """`openid` only when it was proved to be this person's: a status is personal too (A11-02)."""
    async with context.db.read(system(application.institution_id, "notify")) as tx:
        openid, phone = None, None
        if application.customer_id:
            openid = await customers.openid_of(tx, application.customer_id)
            phone = (await customers.get(tx, application.customer_id)).phone
        values = await _figures(tx, application, status)
    number, until, url = application.application_no, _until(application), _url(context, application)
    template = BEFORE_GUARANTORS if values["guarantors_missing"] else SMS_TEMPLATES.get(status)
    return Message(
        institution_id=application.institution_id,
        case_id=application.id,
        openid=openid,
        phone=phone,
        window_open=await carry_notice.window_open(context, openid),
        text=texts.notice(status, number=number, until=until, url=url, **values),
        fields=_fields(number, status),
        page=url,
        sms=(template, {"application_no": number, "until": until}) if template else None,
        ruled_out=_ruled_out(status),
    )


def _ruled_out(status: str) -> dict[Means, str]:
    """Means that this status is not worth: an SMS what was seen on the page, one of the few grants what passes."""
    if status in SEEN_ON_THE_PAGE:
        return {"subscription": "not worth it", "sms": "not worth it"}
    return {"subscription": "saved for the result"} if status in PASSING else {}


async def _figures(tx: Tx, application: Application, status: str) -> dict[str, object]:
    """What A3-09 asks to be said at once: amount, rate, all-in cost; why not, and how long a review takes; the debt."""
    offer, outstanding, reasons, missing = None, "", [], 0
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
            if contract := await contracts.of_application(tx, application.id):
                missing = await guarantors.missing(tx, contract)
    if status == "drawn":
        owed = sum(loan.outstanding_fen for loan in await loans.of_application(tx, application.id))
        outstanding = _yuan(owed) if owed else ""
    return {
        "offer": offer,
        "outstanding": outstanding,
        "reasons": reasons,
        "review_days": days,
        "guarantors_missing": missing,
    }


def _fields(number: str, status: str) -> dict[str, str]:
    """The progress template's fields; `thing` holds at most 20 characters, `phrase` 5."""
    return {
        "character_string1": number,
        "phrase2": PHRASES[status],
        "time3": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}",
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
