"""拿一笔真的决定来试: the facts of a stored decision, or of what a stage outside one was last asked about the case, on
a draft, opened from the page of the case (A3-33, A6-03).

Only staff who need what the sources said, only of their own institution; opening it stands in the audit chain, and
without that nobody gets at the facts here. Nothing is stored, and no scenario is made of a real customer.
"""

from datetime import datetime, timedelta

import msgspec
from litestar import post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.core.errors import NotPermitted
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationNotFound
from backend.domains.audit import service as audit
from backend.domains.decision import moments
from backend.domains.decision import service as decisions
from backend.domains.decision.contracts import WORDS
from backend.domains.decision.model import Case, Decision, DecisionMissing, Stage
from backend.domains.strategies import judging
from backend.domains.strategies.judging import Answer
from backend.domains.strategies.model import Expected, Scenario
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import cases
from h5.console.strategies import HOME
from h5.console.strategy_versions import found

PREFIX = "decision-"
ACTION = "decision.tried"
OPEN_FOR = timedelta(hours=8)
"""A working day; then it is opened, and written down, again."""


class TrialNotOpened(NotPermitted):
    code = "trial_not_opened"
    message = "要用这笔申请的资料试算，请从这笔申请的页面打开"


class Kept(msgspec.Struct, frozen=True):
    """A stored answer by its id, with what it was given."""

    id: str
    case: Case
    answer: Answer


class Real(msgspec.Struct, frozen=True):
    scenario: Scenario
    answer: Answer


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of the case at its time, and in what this version's answer is another (sentences)."""

    number: str
    outcome: str
    decided_at: datetime
    differs: tuple[str, ...]


@post("/console/cases/{number:str}/try", opt=staff.only(*cases.FACT_READERS), fields=("version",))
async def open_trial(request: Request, number: FromPath[str]) -> Response:
    """Write down who tries whose facts on what, then show it."""
    here, form = staff.here(request), await forms.texts(request)
    if not ids.is_uuid(form.get("version", "")):
        page = msgspec.structs.replace(await cases.view(here, number), try_error="请选一版规则")
        return here.show(cases.SHOW, page, 422)
    async with here.context.db.begin(here.actor) as tx:
        version = await found(tx, form["version"])
        recorded = await _recorded(here, tx, number, version.stage)
        audit.add(tx, ACTION, recorded.id, version=version.id, number=version.number, stage=version.stage)
    return here.go(f"{HOME}/{version.id}/try?decision={number}")


async def opened(here: Here, tx: Tx, case: str, stage: Stage) -> Real | None:
    """The stored case a form names, once this person has opened it; None where it names no stored one.

    Raises `ApplicationNotFound` (also for another institution's), `DecisionMissing`, `TrialNotOpened`.
    """
    if not case.startswith(PREFIX):
        return None
    number = case.removeprefix(PREFIX)
    if not here.has(*cases.FACT_READERS):
        raise TrialNotOpened()
    kept = await _recorded(here, tx, number, stage)
    entries = await audit.of(tx, kept.id)
    who, since = f"staff:{here.person.id}", clock.now() - OPEN_FOR
    if not any(e.action == ACTION and e.actor == who and e.at >= since for e in entries):  # type: ignore[operator]
        raise TrialNotOpened()
    return Real(
        Scenario(
            id=case,
            product_code=kept.case.product,
            stage=judging.moment(stage),
            name=f"申请 {number} 当时的资料",
            case=kept.case,
            expected=Expected(outcome=kept.answer.outcome),
            made_by="",
            made_at=kept.case.as_of,
        ),
        kept.answer,
    )


async def _recorded(here: Here, tx: Tx, number: str, stage: Stage) -> Kept:
    """The newest answer about an application of this person's own institution."""
    if here.head_office:
        raise ApplicationNotFound()
    application = await applications.by_number(tx, number)
    if judging.moment(stage):
        last = await moments.last_of(tx, application.id, stage)
        if last is None:
            raise DecisionMissing()
        return Kept(last.id, last.opened.case, last.opened.assessment)
    recorded = await decisions.latest_for(tx, application.id)
    if recorded is None:
        raise DecisionMissing()
    return Kept(recorded.id, recorded.opened.case, recorded.opened.decision)


def compared(real: Real, now: Answer | None) -> Stored:
    """The stored answer beside this one."""
    then, words = real.answer, judging.outcomes(real.scenario.stage)
    return Stored(
        number=real.scenario.id.removeprefix(PREFIX),
        outcome=words[then.outcome],
        decided_at=real.scenario.made_at,
        differs=tuple(_differences(then, now, words)) if now is not None else (),
    )


def _differences(then: Answer, now: Answer, words: dict[str, str]) -> list[str]:
    found = []
    if then.outcome != now.outcome:
        found.append(f"结果：{words[then.outcome]} 变成 {words[now.outcome]}")
    before_after = zip(_told(then), _told(now), strict=True)
    found += [
        f"{label}：{old or '没有'} 变成 {new or '没有'}"
        for (label, old), (_, new) in before_after
        if old != new
    ]
    before, after = ({(r.code, r.severity): r.text for r in each.reasons} for each in (then, now))
    found += [f"多了理由：{text}" for key, text in after.items() if key not in before]
    found += [f"少了理由：{text}" for key, text in before.items() if key not in after]
    return found


def _told(answer: Answer) -> tuple[tuple[str, str], ...]:
    """What an answer gives besides its outcome, in words."""
    if isinstance(answer, Decision):
        return (
            ("等级", answer.grade or ""),
            ("额度", _yuan(answer.amount_fen)),
            ("年化利率", _rate(answer.annual_rate_bp)),
            ("期限", _months(answer.term_months)),
        )
    contact = answer.contact
    return (
        ("预警动作", "、".join(WORDS[each] for each in answer.actions)),
        ("做法", WORDS[contact.action] if contact else ""),
        ("方式", WORDS[contact.channel] if contact else ""),
        ("间隔", f"{contact.pace_days} 天" if contact else ""),
    )


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100:,} 元"


def _rate(bp: int | None) -> str:
    return "" if bp is None else f"{bp / 100:.2f}%"


def _months(months: int | None) -> str:
    return "" if months is None else f"{months} 个月"
