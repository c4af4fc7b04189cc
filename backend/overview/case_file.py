"""One case as a reviewer reads it: masked person, facts, the way of the decision, caps, reviews, story (A6-03, A7-05).

Inside a read of the case's institution. What a role need not know is left out by the page that asks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, Event
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.model import Consent, MaskedPerson
from backend.domains.decision import facts as catalogue
from backend.domains.decision import moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import (
    COUNTY,
    DECIDING,
    Cap,
    Decision,
    PricePart,
    Reason,
    SourceFacts,
    Stage,
)
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from backend.domains.models import service as models
from backend.domains.models import watching
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.regulation import service as regulation
from backend.domains.reviews import exceedings, rechecks
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import (
    EXCEEDING,
    NO_LIMIT,
    RECHECK,
    RECHECK_TRIGGERS,
    Exceeding,
    Inquiry,
    Recheck,
    Review,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import Used
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import Survey
from backend.outbox import effects
from backend.overview import guarantors, story

STAGES = {
    Stage.FRAUD_CHECK: "反欺诈",
    Stage.ELIGIBILITY: "准入",
    Stage.RATING: "评级",
    Stage.LIMIT: "定额",
    Stage.PRICING: "定价",
}
OUTCOMES = {"approved": "通过", "declined": "未通过", "referred": "转人工"}
OUTCOME_STATES: Mapping[str, Literal["done", "stop", "refer"]] = {
    "approved": "done", "declined": "stop", "referred": "refer",
}  # fmt: skip
SOURCES = {
    "application": "客户自己填的",
    "identity_check": "身份核对",
    "liveness": "人脸核对",
    "credit_bureau": "征信报告",
    "core_banking": "账户情况",
    "data_platform": "本地资料",
    "business_data": "经营资料",
    "chain_records": "产业链记录",
    "officer_survey": "上门调查",
    "own_records": "本行记录",
    "product": "产品参数",
    "regulation": "监管参数",
}
_NEVER = frozenset({"birth_on"})
"""The age stands beside the person; the date itself would unmask the ID number."""


class Box(msgspec.Struct, frozen=True):
    """One stage on the drawn way. `state`: done, stop (it spoke against an automatic approval) or off."""

    label: str
    state: Literal["done", "stop", "off"]
    note: str


class Hit(msgspec.Struct, frozen=True):
    """A rule that matched, and what it looked at."""

    stage: str
    row: str
    effect: str
    text: str
    looked: list[tuple[str, str]]


RUNGS = {"fresh": "当时现查的", "cached": "用以前查的，还没过期", "substitute": "来源断了，用别处的代替"}
"""How an answer was come by (N19)."""


class Known(msgspec.Struct, frozen=True):
    """What one source said: (label, value as people write it); `how` it was come by, '' where nobody asks it, under
    which consent, and what the customer did not agree to have read; `days` ago, and how many of it are past their
    freshness today."""

    source: str
    at: datetime
    facts: list[tuple[str, str]]
    how: str
    consent: str
    withheld: list[str]
    days: int
    passed: int


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """The decision as it is drawn; `caps` carry their share of the largest one in hundredths."""

    outcome: str
    outcome_state: Literal["done", "stop", "refer"]
    boxes: list[Box]
    hits: list[Hit]
    caps: list[tuple[Cap, int]]
    price: list[PricePart]
    reasons: list[Reason]
    gaps: list[str]
    score: int | None
    grade: str | None
    complete_percent: int
    proposal: tuple[int, Decimal, int] | None
    decided_at: datetime


class Exceeds(msgspec.Struct, frozen=True):
    """A wish to grant above the caps; `maker` and `checker` are names."""

    wish: Exceeding
    maker: str
    checker: str

    @property
    def label(self) -> str:
        return EXCEEDING.labels[self.wish.status]

    @property
    def no_limit(self) -> bool:
        return self.wish.exceeded == (NO_LIMIT,)


class Asked(msgspec.Struct, frozen=True):
    """A review with its questions to the officer; `answered_by` is a name."""

    review: Review
    inquiries: list[Inquiry]
    answered_by: str
    exceeds: list[Exceeds]

    @property
    def waiting(self) -> Exceeds | None:
        """What waits for the second person."""
        return next((each for each in self.exceeds if each.wish.status == "proposed"), None)


class Rechecked(msgspec.Struct, frozen=True):
    """What people said when they looked at the automatic approval again; `by` and `done_by` are names (D2-07)."""

    recheck: Recheck
    label: str
    triggers: str
    by: str
    done_by: str


class GoneOn(msgspec.Struct, frozen=True):
    """The numbers of the application a case goes on from and of the one it goes on as; empty where there is none."""

    came_from: str = ""
    goes_on: str = ""


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """`waits_for` are the sources a held case waits for, in words. `review_days`: working days within which a person
    answers who disagrees, 0 where nothing can be asked now."""

    application: Application
    person: MaskedPerson | None
    forgotten: bool
    waits_for: str
    product: Product
    officer: Staff | None
    decision: Drawn | None
    turned_away: list[Reason]
    nearest: str
    known: list[Known]
    facts_days: int
    alone_fen: int
    review_days: int
    asked: list[Asked]
    rechecked: list[Rechecked]
    versions: list[tuple[str, list[Used]]]
    model: str
    gone_on: GoneOn
    contract: Contract | None
    story: list[story.Told]
    effects: list[effects.EffectState]
    survey: Survey | None
    guarantors: list[guarantors.Asked]


async def of(tx: Tx, application: Application) -> CaseFile:
    recorded = await decisions.latest_for(tx, application.id)
    capsule = recorded.opened if recorded else None
    advice = await decisions.nearest_of(tx, recorded.id) if recorded else None
    person = await customers.view(tx, application.customer_id) if application.customer_id else None
    on = clock.local(application.submitted_at or application.created_at).date()
    asked = await _asked(tx, application.id)
    events = await applications.events(tx, application.id)
    rules = await regulation.in_force(tx, clock.today())
    may_ask = application.status == "declined" and all(each.review.kind != "requested" for each in asked)
    return CaseFile(
        application=application,
        person=person,
        forgotten=person is not None and person.status == "erased",
        waits_for=_waits_for(events) if application.status == "held" else "",
        product=await products.get_live(tx, tx.institution_id, application.product_code, on),
        officer=await identity.staff(tx, application.officer_id) if application.officer_id else None,
        decision=draw(capsule.decision, capsule.case.as_of) if capsule else None,
        turned_away=[] if capsule else await moments.turned_away(tx, application.id),
        nearest=advice.text if advice else "",
        known=await _known(tx, application, capsule.case.sources) if capsule else [],
        facts_days=rules.count("review.facts_days"),
        alone_fen=rules.amount("review.alone_amount"),
        review_days=rules.count("human_review.working_days") if may_ask else 0,
        asked=asked,
        gone_on=await _gone_on(tx, application, asked),
        rechecked=await _rechecked(tx, application.id),
        versions=await _versions(tx, capsule.decision) if capsule else [],
        model=await _model(tx, recorded.id) if recorded else "",
        contract=await contracts.of_application(tx, application.id),
        story=await story.told(tx, events),
        effects=await effects.of_case(tx, application.id),
        survey=await surveys.latest_confirmed(tx, application.customer_id)
        if application.customer_id
        else None,
        guarantors=await guarantors.of(tx, application.id),
    )


def _waits_for(events: Sequence[Event]) -> str:
    held = [event.why for event in events if event.event == "held"]
    return "、".join(SOURCES.get(source, source) for source in held[-1].split(",")) if held else ""


async def _versions(tx: Tx, decision: Decision) -> list[tuple[str, list[Used]]]:
    """By stage: which version of head office decided, and which of the county on top of it."""
    overlays = decision.versions.overlays or {}
    used = await strategies.of_documents(tx, [*decision.versions.strategies.values(), *overlays.values()])
    return [(STAGES[stage], [each for each in used if each.stage == stage]) for stage in DECIDING]


async def _model(tx: Tx, decision_id: str) -> str:
    artefact = await watching.decided_by(tx, decision_id)
    if artefact is None or artefact == watching.shipped().artefact:
        return "随系统的评分卡" if artefact else ""
    return next((each.name for each in await models.all_models(tx) if each.artefact == artefact), "")


async def _gone_on(tx: Tx, application: Application, asked: list[Asked]) -> GoneOn:
    came_from = await reviews.came_from(tx, application.id) if application.channel == "review" else None
    goes_on = next((e.review.new_application_id for e in asked if e.review.new_application_id), None)
    numbers = await applications.numbers(tx, [each for each in (came_from, goes_on) if each])
    return GoneOn(numbers.get(came_from or "", ""), numbers.get(goes_on or "", ""))


async def _asked(tx: Tx, application_id: str) -> list[Asked]:
    names = await staff_names(tx)
    return [
        Asked(
            each,
            await reviews.inquiries(tx, each.id),
            names.get(each.answered_by or "", ""),
            [
                Exceeds(one, names.get(one.maker, ""), names.get(one.checker or "", ""))
                for one in await exceedings.of_review(tx, each.id)
            ],
        )
        for each in (await reviews.of_application(tx, application_id)).values()
    ]


async def _rechecked(tx: Tx, application_id: str) -> list[Rechecked]:
    found = await rechecks.answered(tx, application_id)
    return [told_of(each, await staff_names(tx)) for each in found]


def told_of(found: Recheck, names: Mapping[str, str]) -> Rechecked:
    """`names` by who acted."""
    return Rechecked(
        found,
        RECHECK.labels[found.status],
        "、".join(RECHECK_TRIGGERS[each] for each in found.triggers),
        names.get(found.found_by or "", ""),
        names.get(found.done_by or "", ""),
    )


async def staff_names(tx: Tx) -> dict[str, str]:
    return {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}


def draw(decision: Decision, decided_at: datetime) -> Drawn:
    """Pure: a decision as boxes, rules and bars."""
    most = max((cap.amount_fen for cap in decision.caps), default=1) or 1
    offer = decision.proposal
    return Drawn(
        outcome=OUTCOMES[decision.outcome],
        outcome_state=OUTCOME_STATES[decision.outcome],
        boxes=[_box(stage, decision) for stage in DECIDING],
        hits=_hits(decision),
        caps=[(of_customer(cap), max(1, cap.amount_fen * 100 // most)) for cap in decision.caps],
        price=decision.price,
        reasons=decision.reasons,
        gaps=[f"{gap.label}（{SOURCES.get(gap.source, gap.source)}）" for gap in decision.gaps],
        score=decision.score,
        grade=decision.grade,
        complete_percent=decision.completeness_bp // 100,
        proposal=(offer.amount_fen, Decimal(offer.annual_rate_bp) / 10_000, offer.term_months)
        if offer
        else None,
        decided_at=decided_at,
    )


def of_customer(cap: Cap) -> Cap:
    """A cap as staff read it: the decision speaks to the customer (您申请的金额), and stays as it was stored."""
    if cap.name != "requested" or cap.layer == COUNTY:
        return cap
    return msgspec.structs.replace(cap, label="客户申请的金额")


def _box(stage: Stage, decision: Decision) -> Box:
    label, events = STAGES[stage], {step.event for step in decision.trace if step.stage == stage}
    against = [r for r in decision.reasons if r.stage == stage and r.severity in ("decline", "refer")]
    if events & {"error", "interrupted"}:
        return Box(label, "stop", "没有算完，转人工")
    if "incomplete" in events:
        return Box(label, "off", "资料不全，没有算")
    if "complete" not in events:
        return Box(label, "off", "没有走到")
    declines = sum(r.severity == "decline" for r in against)
    if declines and stage is Stage.RATING and decision.score is not None:
        return Box(
            label, "stop", f"{decision.score} 分，不够"
        )  # its reasons are what lowers it, not so many rules
    if against:
        return Box(label, "stop", f"{declines} 条拒绝" if declines else f"{len(against)} 条转人工")
    return Box(label, "done", _figure(stage, decision))


def _figure(stage: Stage, decision: Decision) -> str:
    if stage is Stage.RATING and decision.score is not None:
        return f"{decision.score} 分，{decision.grade} 级"
    binding = next((cap for cap in decision.caps if cap.binding), None)
    if stage is Stage.LIMIT and binding is not None:
        return f"{binding.amount_fen // 100_000 * 1000:,} 元"
    if stage is Stage.PRICING and decision.price:
        return f"年利率 {sum(part.bp for part in decision.price) / 100:.2f}%"
    return "没有问题"


def _hits(decision: Decision) -> list[Hit]:
    """Rows of the rule stages; limits and prices are shown as bars and parts."""
    texts = {reason.code: reason.text for reason in decision.reasons}
    words = {"decline": "拒绝", "refer": "转人工", "note": "提示"}
    return [
        Hit(
            STAGES[Stage(step.stage)],
            step.row,
            words.get(str(step.output.get("severity", "")), "命中"),
            texts.get(str(step.output.get("code", "")), ""),
            [pair for name, value in step.facts.items() if (pair := _pair(name, value))],
        )
        for step in decision.trace
        if step.event == "row" and step.stage in (Stage.FRAUD_CHECK, Stage.ELIGIBILITY)
    ]


async def _known(tx: Tx, application: Application, sources: Mapping[str, SourceFacts]) -> list[Known]:
    held = await consents.given(tx, application.customer_id) if application.customer_id else []
    used = {told.consent_id for told in sources.values()}
    agreed = {each.id: await _agreed(tx, each) for each in held if each.id in used}
    known = catalogue.catalogue().facts
    asking = {fact.source for fact in known.values() if fact.consent}
    found = []
    for name, label in SOURCES.items():
        if name in sources and name not in ("product", "regulation"):
            told = sources[name]
            without = "没有有效的授权，里面要授权的都没有用" if name in asking else ""
            found.append(
                Known(
                    label,
                    told.observed_at,
                    [pair for fact, value in told.facts.items() if (pair := _pair(fact, value))],
                    RUNGS.get(told.standing.rung, "") if told.standing else "",
                    agreed.get(told.consent_id or "", "授权的记录已经删除" if told.consent_id else without),
                    [known[each].label for each in told.withheld if each in known],
                    max(0, (tx.now - told.observed_at).days),
                    sum(catalogue.passed(fact, told.observed_at, tx.now) for fact in told.facts),
                )
            )
    return found


async def _agreed(tx: Tx, consent: Consent) -> str:
    title = (await consents.text_of(tx, consent)).title
    ended = consent.withdrawn_at
    later = f"，{clock.local(ended):%Y-%m-%d %H:%M} 收回了" if ended else ""
    return f"客户 {clock.local(consent.given_at):%Y-%m-%d %H:%M} 同意的《{title}》{later}"


def _pair(name: str, value: object) -> tuple[str, str] | None:
    """(label, value) of a fact in words; None for what must stay masked or is not in the catalogue."""
    fact = catalogue.catalogue().facts.get(name)
    if fact is None or name in _NEVER:
        return None
    return fact.label, _written(fact, value)


def _written(fact: catalogue.Fact, value: object) -> str:
    if fact.problem(value):
        return "看不懂"
    if fact.kind == "bool":
        return "是" if value else "否"
    if fact.kind == "enum":
        labels = dict(zip(fact.members, fact.labels, strict=False))
        return labels.get(str(value), str(value))
    if isinstance(value, int) and fact.kind == "fen":
        return f"{value // 100:,} 元"
    if isinstance(value, int) and fact.kind == "bp":
        return f"{value / 100:.2f}%"
    return str(value) if fact.kind == "date" else f"{value} {fact.unit}"
