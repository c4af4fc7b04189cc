"""Purpose, income, village, amount: a few taps, then it is handed in."""

from collections.abc import Mapping

from litestar import Response as Answer
from litestar import get, post

from backend.core import clock
from backend.core.errors import Invalid, Problem
from backend.db.database import Tx
from backend.domains.applications import declarations
from backend.domains.applications.declarations import UNLISTED
from backend.domains.applications.model import Application
from backend.domains.campaigns import service as campaigns
from backend.domains.customers import service as customers
from backend.domains.customers.model import CardExpired, ConsentMissing, Person
from backend.domains.institutions import service as institutions
from backend.domains.products import service as products
from backend.domains.products.model import Product, ProductNotLive
from backend.flows import renew_card, save_details, submit_application
from backend.flows.save_details import STUDENT
from backend.web import addresses, customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import renewal, stops, views

SHOW = "customer/details/show.html"
FIELDS = ("purpose", "income", "village", "amount", "amount_other")
OTHER = "other"
"""The chip of whoever types an amount."""
TWO_AMOUNTS = "点的和填的不是一个数，请只留一个"
SCHOOL_AGE = 24
SCHOOLS = ("大学", "学院", "学校", "中学")


@get("/apply/details")
async def show(request: Request) -> Response:
    draft = await customer.draft(request, "details")
    if await renewal.needed(draft.here, draft.application):
        return draft.here.go(renewal.PATH)
    try:
        return draft.here.show(SHOW, await details(draft))
    except ProductNotLive as problem:
        return await stops.answer(draft, problem) or draft.here.go("/")


@post("/apply/details", fields=FIELDS)
async def save(request: Request) -> Response:
    """Kept at every tap; what is not chosen yet stays open."""
    draft = await customer.draft(request, "details")
    form, here = await forms.texts(request), draft.here
    if form.get("income") != STUDENT:  # answered when it is handed in, not at a slip of the finger
        await save_details.save_details(here.context, here.actor, draft.application.id, _one_amount(form))
    return Answer(None, status_code=204)


@post("/apply/submit", fields=FIELDS)
async def submit(request: Request) -> Response:
    """Handed in; tapped twice, both taps lead to the same application."""
    draft = await customer.draft(request, "details")
    form, here, number = await forms.texts(request), draft.here, draft.application.id
    given = _one_amount(form)
    if given["amount"] == TWO_AMOUNTS:
        return here.show(SHOW, await details(draft, form, {"amount": TWO_AMOUNTS}), 422)
    try:
        handed_in = await submit_application.submit_application(
            here.context, here.actor, number, network=addresses.counted(request, here.settings), given=given
        )
    except ConsentMissing:
        return here.go(renewal.PATH)
    except Problem as problem:
        if isinstance(problem, CardExpired):
            await renew_card.renew_card(here.context, here.actor, number)
        if stopped := await stops.answer(draft, problem):
            return stopped
        if not isinstance(problem, Invalid):
            raise
        return here.show(SHOW, await details(draft, form, problem.fields), 422)
    return here.go(f"/my/{handed_in.application_no}")


async def details(
    draft: Draft, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> views.Details:
    here, application = draft.here, draft.application
    async with here.context.db.read(here.actor) as tx:
        product = await products.get_live(tx, tx.institution_id, application.product_code, clock.today())
        areas = await institutions.areas(tx, tx.institution_id)
        person = await customers.get(tx, application.customer_id or "")
        villages = institutions.villages(areas)
        chosen = {**await _prefilled(tx, application, person, villages), **_kept(application)}
    incomes = [views.Choice(code, each.label) for code, each in declarations.INCOMES.items()]
    if _may_be_a_student(person):
        incomes.append(views.Choice(STUDENT, "还在上学"))
    return views.Details(
        purposes=tuple(views.Choice(*each) for each in declarations.purposes(product).items()),
        incomes=tuple(incomes),
        villages=(*(views.Choice(each, each) for each in villages), views.Choice(UNLISTED, "不在上面")),
        amounts=tuple(views.Choice(str(a // 100), _amount(a)) for a in declarations.amounts(product)),
        limit_max_fen=product.terms.amount_max,
        chosen=_typed_amount({**chosen, **{k: v for k, v in (typed or {}).items() if v}}, product),
        errors=dict(errors or {}),
    )


async def _prefilled(
    tx: Tx, application: Application, person: Person, villages: tuple[str, ...]
) -> dict[str, str]:
    """The village, from the card or else the officer's code (A3-06). Never the purpose: it goes into the contract,
    and nobody chooses it but the person."""
    village = None
    if application.code_id:
        campaign = (await campaigns.verify_id(tx, application.code_id)).campaign
        village = campaign.village if campaign else None
    # The card knows where a person lives better than the code knows where it hangs.
    at_home = [each for each in villages if each.replace(" ", "") in person.address]
    by_code = [each for each in villages if village and each.endswith(f" {village}")]
    found = [*at_home, *by_code]
    return {"village": found[0]} if found else {}


def _kept(application: Application) -> dict[str, str]:
    """What was tapped before, on this phone or another."""
    declared = application.declared
    kept = {
        "purpose": declared.purpose,
        "income": declared.income_band,
        "village": f"{declared.town} {declared.village}".strip(),
        "amount": str(declared.amount_fen // 100) if declared.amount_fen else "",
    }
    return {name: value for name, value in kept.items() if value}


def _one_amount(form: Mapping[str, str]) -> dict[str, str]:
    """The form with one amount: the chip, or what was typed instead of one. Without the page's script both may come;
    nobody is lent one of two."""
    chip, typed = form.get("amount", ""), form.get("amount_other", "").strip()
    if typed and chip not in ("", OTHER, typed):
        return {**form, "amount": TWO_AMOUNTS}
    return {**form, "amount": typed or (chip if chip != OTHER else "")}


def _typed_amount(chosen: dict[str, str], product: Product) -> dict[str, str]:
    """An amount that is on no chip stands in the line for others."""
    amount = chosen.get("amount", "")
    if amount in ("", OTHER) or amount in {str(fen // 100) for fen in declarations.amounts(product)}:
        return chosen
    return {**chosen, "amount": OTHER, "amount_other": chosen.get("amount_other") or amount}


def _may_be_a_student(person: Person) -> bool:
    young = clock.years_between(person.birth_on, clock.today()) <= SCHOOL_AGE
    return young or any(word in person.address for word in SCHOOLS)


def _amount(fen: int) -> str:
    whole, rest = divmod(fen, 1_000_000)
    return f"{whole} 万元" if whole and not rest else f"{fen // 100:,} 元"
