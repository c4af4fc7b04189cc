"""人工审查: a reviewer decides a referred case, or answers a customer who asked for a person (D3-03, A3-09).

A declined case is final. When the review grants what was refused, the person's application goes on as a new one
with the same declarations, decided by the reviewer in the same transaction; the old case names it. One the pre-screen
turned away, or that was decided too long ago, is decided by the road instead (`by_road`). Nor is a referred case
approved on facts that old: it is declined, or decided anew (`decide_anew`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.documents import wording
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationMoved
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Terms
from backend.domains.customers import service as customers
from backend.domains.decision import county, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Cap
from backend.domains.evidence import service as evidence
from backend.domains.identity.model import NotYours
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.relations import service as relations
from backend.domains.reviews import exceedings
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import (
    NO_LIMIT,
    Exceeded,
    ExceedingWaits,
    NotYourReview,
    Review,
    ReviewAnswered,
    VerdictInvalid,
)
from backend.flows import begin_again, notify, own_case
from backend.flows.context import Context
from backend.flows.decide_application import OFFER_DAYS

SHORTEST_REASON = 4  # characters
GRANTABLE = ("declined", "approved", "expired")
"""Where a request may still be granted: what the customer has gone on with since is not given a second time."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`approved`/`declined` answer a referred case, `granted`/`upheld` a customer's request. The terms stand
    only with approved and granted; `reason` is read by the customer, `why_more` by the second person who looks at an
    amount above the caps."""

    outcome: Literal["approved", "declined", "granted", "upheld"]
    reason: str
    amount_fen: int = 0
    annual_rate: Decimal = Decimal(0)
    term_months: int = 0
    why_more: str = ""

    @property
    def gives(self) -> bool:
        return self.outcome in ("approved", "granted")


async def review_case(context: Context, actor: Actor, review_id: str, verdict: Verdict) -> Application:
    """The application that stands afterwards: the reviewed one, or the new one of a granted request. More than a cap
    of the decision stands only once another reviewer has looked (`look_at_exceeding`).

    Raises `NotYours`, `NotYourReview`, `ReviewMissing`, `ReviewAnswered`, `VerdictInvalid`, `AlreadyOpen`,
    `ApplicationMoved`, `ExceedingWaits`.
    """
    async with context.db.begin(actor) as tx:
        review, application = await open_for(tx, review_id)
        if await exceedings.waiting(tx, review.id):
            raise ExceedingWaits()
        product, above = await check(tx, application, review, verdict)
        if not above:
            return await carry_out(tx, application, review, product, verdict)
        await exceedings.propose(
            tx,
            review,
            outcome=verdict.outcome,
            amount_fen=verdict.amount_fen,
            annual_rate=verdict.annual_rate,
            term_months=verdict.term_months,
            reason=verdict.reason.strip(),
            exceeded=above,
            why=verdict.why_more.strip(),
        )
        return application


async def open_for(tx: Tx, review_id: str) -> tuple[Review, Application]:
    """Both locked, for a reviewer who may answer. Raises `NotYours`, `ReviewMissing`, `ReviewAnswered`,
    `NotYourReview`."""
    if not tx.actor.has("reviewer"):
        raise NotYours()
    review = await reviews.get(tx, review_id, lock=True)
    if review.status != "open":
        raise ReviewAnswered()
    application = await applications.get(tx, review.application_id, lock=True)
    await require_another_person(tx, application, review)
    return review, application


async def carry_out(
    tx: Tx, application: Application, review: Review, product: Product, verdict: Verdict, exceeded: str = ""
) -> Application:
    """Raises `ApplicationMoved`, `AlreadyOpen`."""
    if review.kind == "referred" and application.status != "referred":
        raise ApplicationMoved(label=application.label)
    if verdict.outcome == "approved":
        return await _approve(tx, application, review, product, verdict, exceeded)
    if verdict.outcome == "declined":
        return await _decline(tx, application, review, verdict)
    if verdict.outcome == "granted":
        return await _grant(tx, application, review, product, verdict, exceeded)
    return await _uphold(tx, application, review, verdict)


async def require_another_person(tx: Tx, application: Application, review: Review) -> None:
    """Raises `NotYourReview`."""
    of_case = (await reviews.of_application(tx, application.id)).values()
    others = [each for each in of_case if each.id != review.id]
    makers = [one.maker for each in others for one in await exceedings.of_review(tx, each.id)]
    before = [*(each.answered_by for each in others), *makers]
    if has_touched(tx.actor.id, application, review, before) or await own_case.own_case(tx, application):
        raise NotYourReview()


def has_touched(
    staff_id: str, application: Application, review: Review, before: Iterable[str | None]
) -> bool:
    """Four eyes (A7-05): the officer of the case, who asked for the review, or who answered an earlier one or wished
    to (`before`)."""
    return staff_id == application.officer_id or f"staff:{staff_id}" in {review.asked_by, *before}


async def _product(tx: Tx, application: Application, verdict: Verdict) -> Product:
    """What is given must be on offer today; a refusal may be of something that has ended (`ProductNotLive`)."""
    if verdict.gives:
        return await products.get_live(tx, tx.institution_id, application.product_code, clock.today())
    begun_on = clock.local(application.submitted_at or application.created_at).date()
    return await products.get_begun(tx, tx.institution_id, application.product_code, begun_on)


async def check(
    tx: Tx, application: Application, review: Review, verdict: Verdict
) -> tuple[Product, list[Exceeded]]:
    """The product it is of, and the caps it is above. Raises `VerdictInvalid`, `ProductNotLive`."""
    product = await _product(tx, application, verdict)
    allowed = ("approved", "declined") if review.kind == "referred" else ("granted", "upheld")
    fields: dict[str, str] = {}
    above: list[Exceeded] = []
    if verdict.outcome not in allowed:
        fields["outcome"] = "这件审查不能这样答复"
    if len(verdict.reason.strip()) < SHORTEST_REASON:
        fields["reason"] = f"请写明理由，至少 {SHORTEST_REASON} 个字，客户会看到"
    if verdict.outcome == "approved" and (old := await facts_of(tx, application)) is not None:
        fields["outcome"] = old.told
    if verdict.outcome == "granted" and application.status not in GRANTABLE:
        fields["outcome"] = f"这笔申请{application.label}，不能另外再给一份，只能维持原结果"
    if verdict.gives:
        anew = await by_road(tx, review, application)
        if await _frozen(tx, application):
            fields["outcome"] = "客户已冻结，不能同意。查清可以放行的，先由两个人解除冻结"
        elif not anew and await _stopped(tx, application):
            fields["outcome"] = "客户现在在黑名单上，不能同意。名单记错了的，先由两个人撤下"
        caps = await _caps(tx, application)
        limits = await _limits(tx, application, product, caps)
        fields |= _terms_wrong(product, verdict, limits)
        alone = (await regulation.in_force(tx, clock.today())).amount("review.alone_amount")
        above = [] if anew else exceeded(caps, verdict.amount_fen, alone)
        if above and "amount" not in fields and len(verdict.why_more.strip()) < SHORTEST_REASON:
            fields["why_more"] = _why_missing(above)
    if fields:
        raise VerdictInvalid(fields=fields)
    return product, above


async def by_road(tx: Tx, review: Review, application: Application) -> bool:
    """Whether a request that is granted is decided anew by the road: nobody was asked about what the pre-screen turned
    away, and what was asked longer ago than an offer made of it would stand is not what is so today."""
    if review.kind != "requested":
        return False
    if await facts_of(tx, application) is not None:
        return True
    return await decisions.latest_for(tx, application.id) is None and bool(
        await moments.turned_away(tx, application.id)
    )


class Old(msgspec.Struct, frozen=True):
    """Facts that are older than anything may be granted on."""

    days: int
    most: int

    @property
    def told(self) -> str:
        return (
            f"这笔的资料是 {self.days} 天前的，超过 {self.most} 天，不能凭它同意。"
            "请先用现在的资料重新审批；不同意可以现在答复"
        )


async def facts_of(tx: Tx, application: Application) -> Old | None:
    """None while what the case was decided on may still be relied on, or it was never decided."""
    recorded = await decisions.latest_for(tx, application.id)
    if recorded is None:
        return None
    most = (await regulation.in_force(tx, clock.today())).count("review.facts_days")
    return too_old(recorded.decided_at, tx.now, most)


def too_old(decided_at: datetime, now: datetime, most: int) -> Old | None:
    """`most` is the days of the dated rule."""
    return Old((now - decided_at).days, most) if decided_at < now - timedelta(days=most) else None


def exceeded(caps: Iterable[Cap], amount_fen: int, alone_fen: int) -> list[Exceeded]:
    """The caps of judgement an amount is above and what one person may grant, the lowest first; the fixed ones are
    refused (`_limits`). Where data were missing, or a rule said no before, there may be none: then every amount is
    above `NO_LIMIT`."""
    judged = [cap for cap in caps if not _fixed(cap)]
    if not judged:
        return [NO_LIMIT]
    most = [Exceeded(cap.name, cap.label, cap.amount_fen) for cap in judged]
    most.append(Exceeded("authority", "一位审查人的审批权限", alone_fen))
    return sorted((each for each in most if amount_fen > each.amount_fen), key=lambda each: each.amount_fen)


def told(above: Iterable[Exceeded]) -> str:
    return "、".join(
        each.label
        if each == NO_LIMIT
        else f"“{each.label}”（{wording.yuan(each.amount_fen).removesuffix('.00')} 元）"
        for each in above
    )


def _why_missing(above: list[Exceeded]) -> str:
    if above == [NO_LIMIT]:
        return (
            f"{told(above)}。要同意，请写明凭什么定这个金额，至少 {SHORTEST_REASON} 个字，再由另一位审查人看"
        )
    return f"金额超过{told(above)}。确实要超，请写明为什么，至少 {SHORTEST_REASON} 个字，再由另一位审查人看"


def _fixed(cap: Cap) -> bool:
    """What no person may go above: product, law, and what the customer asked for. A county's own caps are not these,
    whatever it calls them."""
    return cap.name in county.FIXED and cap.layer is msgspec.UNSET


async def _stopped(tx: Tx, application: Application) -> bool:
    """Whom two people have put on the block list is let through by no one person, also when that came after the
    decision."""
    assert application.customer_id is not None
    person = await customers.get(tx, application.customer_id)
    return await relations.blocked(tx, "id_number", person.id_number)


async def _frozen(tx: Tx, application: Application) -> bool:
    assert application.customer_id is not None
    return (await customers.get(tx, application.customer_id)).status == "frozen"


async def _caps(tx: Tx, application: Application) -> list[Cap]:
    """None where the decision did not come to a limit."""
    recorded = await decisions.latest_for(tx, application.id)
    return recorded.opened.decision.caps if recorded else []


async def _limits(
    tx: Tx, application: Application, product: Product, caps: Iterable[Cap]
) -> list[tuple[str, int]]:
    """What no person may go above, by name, the lowest first."""
    rules = await regulation.in_force(tx, clock.today())
    then = [cap.amount_fen for cap in caps if cap.name == "regulation" and _fixed(cap)]
    found = [
        ("产品最高额度", product.terms.amount_max),
        ("客户申请的金额", application.declared.amount_fen),
        ("按规定还能借的额度", min([await _room(tx, application, product, rules), *then])),
    ]
    return sorted(found, key=lambda each: each[1])


def _terms_wrong(product: Product, verdict: Verdict, limits: list[tuple[str, int]]) -> dict[str, str]:
    terms, fields = product.terms, {}
    most = limits[0][1]
    if not terms.amount_min <= verdict.amount_fen <= most:
        above = "、".join(
            f"“{name}”（{fen // 100:,} 元）" for name, fen in limits if verdict.amount_fen > fen
        )
        over = f"。{above}不能超过" if above else ""
        fields["amount"] = f"金额要在 {terms.amount_min // 100:,} 到 {most // 100:,} 元之间{over}"
    elif verdict.amount_fen % 100:
        fields["amount"] = "金额写整数元，不带角分"
    if not terms.rate_min <= verdict.annual_rate <= terms.rate_max:
        fields["rate"] = f"年利率要在 {terms.rate_min:.2%} 到 {terms.rate_max:.2%} 之间"
    if verdict.term_months not in terms.months:
        fields["term"] = "产品没有这个期限"
    return fields


async def _room(tx: Tx, application: Application, product: Product, rules: InForce) -> int:
    """Fen a person may still be lent under the cap on internet consumer credit (D1-01), which binds reviewers
    as well."""
    terms = product.terms
    if not (terms.is_internet_loan and terms.purpose_class == "consumer"):
        return terms.amount_max
    assert application.customer_id is not None
    said = await evidence.answers(tx, application.id)
    booked = [
        int(said[source].facts.get(name, 0)) if source in said else 0
        for source, name in (
            ("core_banking", "core_internet_credit_granted"),
            ("credit_bureau", "bureau_internet_consumer_credit"),
        )
    ]
    person = await customers.get(tx, application.customer_id)
    promised = await contracts.promised(tx, person)
    return max(0, product_rules.consumer_cap(rules) - max(booked) - promised)


async def _approve(
    tx: Tx, application: Application, review: Review, product: Product, verdict: Verdict, exceeded: str
) -> Application:
    await _answer(tx, review, verdict, exceeded=exceeded)
    return await _give(tx, application, product, verdict)


async def _decline(tx: Tx, application: Application, review: Review, verdict: Verdict) -> Application:
    await _answer(tx, review, verdict)
    declined = await applications.move(tx, application, "declined", "declined", "review")
    await notify.announce(tx, declined)
    return declined


async def _grant(
    tx: Tx, application: Application, review: Review, product: Product, verdict: Verdict, exceeded: str
) -> Application:
    """A new application that says what the old one said, on the reviewer's responsibility."""
    if application.status == "approved":  # the person asked for better terms before taking these
        contract = await contracts.get(tx, application.id, lock=True)
        await contracts.move(tx, contract, "void", "review")
        application = await applications.move(tx, application, "cancelled", "cancelled", "review")
    new = await begin_again.begin_again(tx, application, product)
    if await by_road(tx, review, application):
        return await _decide_anew(tx, application, new, review, verdict)
    new = await begin_again.as_shown(tx, application, new)
    for status in ("submitted", "deciding", "referred"):
        new = await applications.move(tx, new, status, status, f"review:{application.application_no}")
    await _answer(tx, review, verdict, new_application_id=new.id, exceeded=exceeded)
    await applications.note(tx, application, "review_answered", new.application_no)
    return await _give(tx, new, product, verdict)


async def _decide_anew(
    tx: Tx, application: Application, new: Application, review: Review, verdict: Verdict
) -> Application:
    """What the pre-screen turned away was never looked at, and what was looked at long ago may be otherwise now. The
    reviewer lets it pass that door, and the decision is the road's own; the terms stay the reviewer's proposal."""
    new = await begin_again.by_the_road(tx, application, new)
    await _answer(tx, review, verdict, new_application_id=new.id)
    await applications.note(tx, application, "review_answered", new.application_no)
    return new


async def _uphold(tx: Tx, application: Application, review: Review, verdict: Verdict) -> Application:
    await _answer(tx, review, verdict)
    await applications.note(tx, application, "review_answered", "upheld")
    return application


async def _give(tx: Tx, application: Application, product: Product, verdict: Verdict) -> Application:
    assert application.customer_id is not None
    terms = product.terms
    agreed = Terms(
        agreed_by=f"review:{tx.actor.id}",
        product_code=product.code,
        product_name=product.name,
        internet_consumer=terms.is_internet_loan and terms.purpose_class == "consumer",
        limit_fen=verdict.amount_fen,
        annual_rate=verdict.annual_rate,
        term_months=verdict.term_months,
        repayment_method=contract_rules.method_for(terms, verdict.term_months),
        purpose=application.declared.purpose,
        agreed_on=clock.today(),
        valid_until=clock.today() + timedelta(days=OFFER_DAYS),
    )
    person = await customers.get(tx, application.customer_id)
    await contracts.prepare(tx, application.id, person, agreed)
    approved = await applications.move(tx, application, "approved", "approved", "review")
    await notify.announce(tx, approved)
    return approved


async def _answer(
    tx: Tx, review: Review, verdict: Verdict, *, new_application_id: str | None = None, exceeded: str = ""
) -> None:
    await reviews.answer(
        tx,
        review,
        outcome=verdict.outcome,
        reason=verdict.reason.strip(),
        amount_fen=verdict.amount_fen if verdict.gives else None,
        annual_rate=verdict.annual_rate if verdict.gives else None,
        term_months=verdict.term_months if verdict.gives else None,
        new_application_id=new_application_id,
        exceeded=exceeded,
    )
