"""One case before a person: what is known, how the decision went, and the reviewer's answer (A7-05, D3-03)."""

import math
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationNotFound
from backend.domains.decision import moments
from backend.domains.decision.model import DECIDING
from backend.domains.products.model import ProductNotLive
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import (
    GROUNDS,
    NO_LIMIT,
    OUTCOMES,
    Exceeded,
    ExceedingEnded,
    ExceedingWaits,
    FactsInTime,
    NotYourReview,
    ReviewAnswered,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS
from backend.flows import decide_anew, look_at_exceeding, return_case, review_case
from backend.flows.look_at_exceeding import Look
from backend.flows.review_case import Verdict
from backend.outbox.effects import EFFECT
from backend.overview import case_file, relation_picture, work_list
from backend.overview.case_file import Asked, CaseFile, Exceeds
from backend.overview.relation_picture import Picture
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.dead_letters import KINDS

SHOW = "console/cases/show.html"
FACT_READERS = ("reviewer", "risk_analyst", "auditor")
"""Who needs what the sources said; the others see the way of the decision without the figures."""
CAPSULE_TAKERS = ("reviewer", "auditor")
"""Who may take a case away as a file (`capsules`)."""
SURVEY_READERS = ("reviewer", "auditor")
GUARANTOR_SEERS = ("reviewer", "county_admin")
"""Who may say that they saw a guarantor in person: never the officer who brought the case."""

CHOICES = {
    "referred": (("approved", "同意"), ("declined", "不同意")),
    "requested": (("granted", "复核通过"), ("upheld", "维持原结果")),
}
Outcome = Literal["approved", "declined", "granted", "upheld"]
LOOKS: dict[str, Look] = {"confirmed": "confirmed", "refused": "refused", "taken_back": "taken_back"}


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """The open review and what is in its form. `refused` says why this person may not answer it. `above` names the
    caps an amount goes above before a second person must look (`no_limit`: the decision has none, so any amount does),
    `anew` that the road decides what is granted here, `old` that a referred case is approved on its facts no more,
    `wish` is what waits for that person: `mine` when I made it."""

    review_id: str
    kind: str
    choices: tuple[tuple[str, str], ...]
    months: tuple[int, ...]
    fresh: bool
    refused: str = ""
    outcome: str = ""
    reason: str = ""
    amount: str = ""
    rate: str = ""
    term: str = ""
    question: str = ""
    why_more: str = ""
    above: str = ""
    no_limit: bool = False
    anew: bool = False
    old: str = ""
    wish: Exceeds | None = None
    mine: bool = False
    found: str = ""
    errors: dict[str, str] = {}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`told` is what happened to the answer just sent, when somebody else was first. `picture` is None for a role
    that need not know, and for a customer who shares nothing. `next_number` is the case a reviewer
    turns to after this one. `tries` are (id, label) of the versions the decision's
    facts may be tried on."""

    file: CaseFile
    told: str = ""
    shows_facts: bool
    picture: Picture | None = None
    answering: Answering | None
    takes_capsule: bool = False
    next_number: str = ""
    tries: tuple[tuple[str, str], ...] = ()
    try_error: str = ""
    surveys: bool = False
    sees_guarantors: bool = False
    capsule_error: str = ""
    grounds: dict[str, str] = msgspec.field(default_factory=GROUNDS.copy)
    kinds: dict[str, str] = msgspec.field(default_factory=KINDS.copy)
    states: dict[str, str] = msgspec.field(default_factory=EFFECT.labels.copy)
    outcomes: dict[str, str] = msgspec.field(default_factory=OUTCOMES.copy)


@get("/console/cases/{number:str}", opt=staff.only(*staff.DESK))
async def show(request: Request, number: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await view(here, number))


@post(
    "/console/reviews/{review_id:str}/answer",
    opt=staff.only("reviewer"),
    fields=("outcome", "amount", "rate", "term", "reason", "why_more"),
)
async def answer(request: Request, review_id: FromPath[str]) -> Response:
    """The reviewer's word, with a fresh proof of who says it: final for this case and read by the customer, but above
    the caps only a wish."""
    here, form = staff.here(request), await forms.texts(request)
    number = await _number_of(here, review_id)
    if not here.fresh():
        return here.show(SHOW, await view(here, number, form), 403)
    try:
        done = await review_case.review_case(here.context, here.actor, review_id, _verdict(form))
    except ReviewAnswered as late:
        if not await _said_so(here, review_id, form):
            return here.show(SHOW, msgspec.structs.replace(await view(here, number), told=late.text), 409)
        return here.go(f"/console/cases/{number}")
    except ExceedingWaits as late:
        return here.show(SHOW, msgspec.structs.replace(await view(here, number), told=late.text), 409)
    except Invalid as problem:
        return here.show(SHOW, await view(here, number, form, problem.fields), 422)
    return here.go(f"/console/cases/{done.application_no}")


@post("/console/reviews/{review_id:str}/exceeding", opt=staff.only("reviewer"), fields=("look", "found"))
async def look(request: Request, review_id: FromPath[str]) -> Response:
    """超上限: the second person confirms or refuses, or the first takes it back."""
    here, form = staff.here(request), await forms.texts(request)
    number = await _number_of(here, review_id)
    if not here.fresh():
        return here.show(SHOW, await view(here, number, form), 403)
    if form.get("look") not in LOOKS:
        return here.show(SHOW, await view(here, number, form, {"look": "请选同意还是不同意"}), 422)
    try:
        done = await look_at_exceeding.look_at_exceeding(
            here.context, here.actor, review_id, LOOKS[form["look"]], form.get("found", "")
        )
    except (ReviewAnswered, ExceedingEnded) as late:
        return here.show(SHOW, msgspec.structs.replace(await view(here, number), told=late.text), 409)
    except Invalid as problem:
        return here.show(SHOW, await view(here, number, form, problem.fields), 422)
    return here.go(f"/console/cases/{done.application_no}")


@post("/console/reviews/{review_id:str}/return", opt=staff.only("reviewer"), fields=("question",))
async def give_back(request: Request, review_id: FromPath[str]) -> Response:
    """退回核实: the officer has the ball, the clock goes on."""
    here, form = staff.here(request), await forms.texts(request)
    number = await _number_of(here, review_id)
    try:
        await return_case.return_case(here.context, here.actor, review_id, form.get("question", ""))
    except Invalid as problem:
        return here.show(SHOW, await view(here, number, form, {"question": problem.text}), 422)
    return here.go(f"/console/cases/{number}")


@post("/console/reviews/{review_id:str}/anew", opt=staff.only("reviewer"))
async def decide_again(request: Request, review_id: FromPath[str]) -> Response:
    """重新审批: a case whose facts are too old to be approved on goes on as a new application."""
    here = staff.here(request)
    number = await _number_of(here, review_id)
    try:
        new = await decide_anew.decide_anew(here.context, here.actor, review_id)
    except FactsInTime as early:
        return here.show(SHOW, msgspec.structs.replace(await view(here, number), told=early.text), 422)
    except (ReviewAnswered, ExceedingWaits, ProductNotLive) as late:
        return here.show(SHOW, msgspec.structs.replace(await view(here, number), told=late.text), 409)
    return here.go(f"/console/cases/{new.application_no}")


def _verdict(form: dict[str, str]) -> Verdict:
    """What cannot be read becomes a value the flow refuses, with the sentence beside the field."""
    outcome = form.get("outcome", "")
    return Verdict(
        outcome=_OUTCOMES.get(outcome, "none"),  # type: ignore[arg-type]
        reason=form.get("reason", ""),
        amount_fen=math.ceil(
            _number(form.get("amount", "")) * 100
        ),  # a rest below a fen is refused, not dropped
        annual_rate=_number(form.get("rate", "")) / 100,
        term_months=int(_number(form.get("term", ""))),
        why_more=form.get("why_more", ""),
    )


_OUTCOMES: dict[str, Outcome] = {o: o for o in ("approved", "declined", "granted", "upheld")}


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").replace("，", "").removesuffix("%").strip() or "0")
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() and 0 <= found < 10**10 else Decimal(0)


async def find(here: Here, number: str) -> Application:
    """A county finds its own numbers; another county's does not exist for it."""
    async with here.context.db.read(here.reader) as tx:
        institution_id = await applications.institution_of_number(tx, number)
    if institution_id is None:
        raise ApplicationNotFound()
    async with here.context.db.read(here.within(institution_id)) as tx:
        return await applications.by_number(tx, number)


async def _number_of(here: Here, review_id: str) -> str:
    async with here.context.db.read(here.actor) as tx:
        review = await reviews.get(tx, review_id)
        return (await applications.get(tx, review.application_id)).application_no


async def _said_so(here: Here, review_id: str, form: dict[str, str]) -> bool:
    """A second tap of the same answer by the same person is no conflict."""
    async with here.context.db.read(here.actor) as tx:
        review = await reviews.get(tx, review_id)
    said = (form.get("outcome"), form.get("reason", "").strip())
    return review.answered_by == f"staff:{here.person.id}" and (review.outcome, review.reason) == said


async def view(
    here: Here,
    number: str,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    capsule_error: str = "",
) -> Case:
    application = await find(here, number)
    async with here.context.db.read(here.within(application.institution_id)) as tx:
        file = await case_file.of(tx, application)
        picture = await _picture(here, tx, application)
        tries = await _tries(here, tx, file)
        reviewing = here.has("reviewer") and not here.head_office
        following = await work_list.next_case(tx, application.id) if reviewing else ""
    answering = None
    waiting = next((each for each in file.asked if each.review.status == "open"), None)
    if waiting is not None and reviewing:
        answering = _answering(here, file, waiting, form or {}, errors or {})
    return Case(
        file=file,
        shows_facts=here.has(*FACT_READERS),
        picture=picture,
        answering=answering,
        surveys=file.survey is not None and here.has(*SURVEY_READERS) and not here.head_office,
        sees_guarantors=here.has(*GUARANTOR_SEERS) and not here.head_office,
        takes_capsule=(file.decision is not None or bool(file.turned_away)) and here.has(*CAPSULE_TAKERS),
        next_number=following,
        tries=tries,
        capsule_error=capsule_error,
    )


async def _tries(here: Here, tx: Tx, file: CaseFile) -> tuple[tuple[str, str], ...]:
    """Drafts first, then what is live, of the product or of all, of stages that have said something of the case;
    nothing for whoever need not know the facts."""
    if here.head_office or not here.has(*FACT_READERS):
        return ()
    asked = await moments.kept_stages(tx, file.application.id)
    asked |= set(DECIDING) if file.decision is not None else set()
    held = [*await strategies.open_drafts(tx), *await strategies.in_use(tx)]
    mine = (ALL_PRODUCTS, file.application.product_code)
    return tuple(
        (each.id, f"{'省联社' if each.layer == 'union' else '本行'} {each.label}（{each.status_label}）")
        for each in held
        if each.stage in asked and each.product_code in mine
    )


async def _picture(here: Here, tx: Tx, application: Application) -> Picture | None:
    return await relation_picture.of(tx, application) if here.has(*FACT_READERS) else None


def _answering(
    here: Here, file: CaseFile, waiting: Asked, form: dict[str, str], errors: dict[str, str]
) -> Answering:
    """The form: as it was sent, or with what the rules would have proposed."""
    proposal = file.decision.proposal if file.decision else None
    amount, rate, term = proposal or (0, Decimal(0), file.application.declared.term_months)
    return Answering(
        review_id=waiting.review.id,
        kind=waiting.review.kind,
        choices=CHOICES[waiting.review.kind],
        months=tuple(file.product.terms.months),
        fresh=here.fresh(),
        refused=_refused(here, file, waiting),
        outcome=form.get("outcome", ""),
        reason=form.get("reason", ""),
        amount=form.get("amount", f"{amount // 100}" if amount else ""),
        rate=form.get("rate", f"{rate * 100:.2f}" if rate else ""),
        term=form.get("term", str(term)),
        question=form.get("question", ""),
        why_more=form.get("why_more", ""),
        above=review_case.told(above := _above(file, waiting)),
        no_limit=above == [NO_LIMIT],
        anew=_anew(file, waiting),
        old=old.told if waiting.review.kind == "referred" and (old := _old(file)) else "",
        wish=waiting.waiting,
        mine=waiting.waiting is not None and waiting.waiting.wish.maker == f"staff:{here.person.id}",
        found=form.get("found", ""),
        errors=errors,
    )


def _anew(file: CaseFile, waiting: Asked) -> bool:
    """As `review_case.by_road`, told before anything is typed."""
    return waiting.review.kind == "requested" and (_old(file) is not None or bool(file.turned_away))


def _old(file: CaseFile) -> review_case.Old | None:
    """As `review_case.facts_of`."""
    if file.decision is None:
        return None
    return review_case.too_old(file.decision.decided_at, clock.now(), file.facts_days)


def _above(file: CaseFile, waiting: Asked) -> list[Exceeded]:
    """The caps that are below what could be granted at most, or that there are none, told before anything is typed."""
    if _anew(file, waiting):
        return []
    caps = [cap for cap, _ in file.decision.caps] if file.decision else []
    most = min(file.product.terms.amount_max, file.application.declared.amount_fen)
    return review_case.exceeded(caps, most, file.alone_fen)


def _refused(here: Here, file: CaseFile, waiting: Asked) -> str:
    """The sentence of the flow's four-eyes rule, told before the person has written an answer."""
    others = [each for each in file.asked if each.review.id != waiting.review.id]
    before = [each.review.answered_by for each in others]
    makers = [one.wish.maker for each in others for one in each.exceeds]
    touched = review_case.has_touched(here.person.id, file.application, waiting.review, [*before, *makers])
    return NotYourReview.message if touched else ""
