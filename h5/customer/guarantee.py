"""The guarantor's side: the link, the promise in plain words, yes or no (A1-08)."""

from litestar import Response as Answer
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import NotPermitted
from backend.domains.applications import service as applications
from backend.domains.contracts.model import ReadTooFast, ShownTokenInvalid
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import REASONS, Guarantee, LinkTaken
from backend.domains.guarantees.terms import Terms
from backend.flows import (
    confirm_guarantee,
    give_guarantee_copy,
    open_guarantee,
    refuse_guarantee,
    show_guarantee,
)
from backend.flows.check_guarantor import NotAGuarantor
from backend.flows.confirm_guarantee import AnswerMissing
from backend.flows.require_guarantee import Standing, still_stands
from backend.web import addresses, customer, forms, guarantor
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer.guarantee_views import Ask, Ended, Promise

SHOW, CONFIRM = "customer/guarantee/show.html", "customer/guarantee/confirm_page.html"
ENDED = "customer/guarantee/go_on.html"


class OwnLink(NotPermitted):
    code = "guarantee_own_link"
    message = "这是您自己的申请，不能给自己担保。请把链接发给您要请的人"


@get("/g/{institution_id:str}/{link:str}")
async def show(request: Request, institution_id: FromPath[str], link: FromPath[str]) -> Response:
    """Nothing is written: whoever looks may still pass it on."""
    here = await customer.at(request, institution_id)
    async with here.context.db.read(here.actor) as tx:
        found = await guarantees.by_token(tx, link)
    if found.session_id and await guarantor.holds(here, link, found):
        guarantor.keep(here, guarantor.token(here, link))
        return here.go("/guarantee")
    standing, borrower = await _link(here, link)
    if standing.guarantee.status == "opened":
        raise LinkTaken()
    return here.show(SHOW, _ask(here, standing, borrower))


@post("/g/{institution_id:str}/{link:str}", fields=("answer",))
async def answer(request: Request, institution_id: FromPath[str], link: FromPath[str]) -> Response:
    """Go on with it on this phone, or not at all."""
    here, form = await customer.at(request, institution_id), await forms.texts(request)
    standing, _ = await _link(here, link)
    if _own(here, standing):
        raise OwnLink()
    if form.get("answer") == "no":
        if standing.guarantee.status == "opened" and not await guarantor.holds(
            here, link, standing.guarantee
        ):
            raise LinkTaken()
        await refuse_guarantee.refuse_guarantee(here.context, here.actor, standing.guarantee.id)
        return here.show(ENDED, Ended("refused", REASONS["declined"]))
    token = guarantor.token(here, link)
    address = addresses.counted(request, here.settings)
    await open_guarantee.open_guarantee(here.context, here.actor, link, token, address=address)
    guarantor.keep(here, token)
    return here.go("/guarantee")


@get("/guarantee")
async def go_on(request: Request) -> Response:
    """To where it stands; once it is over, how it ended."""
    here = await guarantor.of(request)
    found, standing = await guarantor.mine(here)
    if standing is not None:
        return here.go(guarantor.PATHS[standing.guarantee.step])
    async with here.context.db.read(here.actor) as tx:
        terms = await guarantees.promised(tx, found)
    return here.show(ENDED, _ended(here, found, terms))


@get("/g/{institution_id:str}/{guarantee_id:str}/{key:str}")
async def copy(
    request: Request, institution_id: FromPath[str], guarantee_id: FromPath[str], key: FromPath[str]
) -> Response:
    """What was confirmed, by the link in the guarantor's SMS; on any phone."""
    here = await customer.at(request, institution_id)
    async with here.context.db.read(here.actor) as tx:
        found, terms = await give_guarantee_copy.read(here.settings, tx, guarantee_id, key)
    return here.show(ENDED, _ended(here, found, terms))


@get("/g/{institution_id:str}/{guarantee_id:str}/{key:str}/paper")
async def paper(
    request: Request, institution_id: FromPath[str], guarantee_id: FromPath[str], key: FromPath[str]
) -> Response:
    here = await customer.at(request, institution_id)
    body = await give_guarantee_copy.give_guarantee_copy(here.context, here.actor, guarantee_id, key)
    headers = {"Content-Disposition": f"inline; filename=guarantee-{guarantee_id[:8]}.pdf"}
    return Answer(body, media_type="application/pdf", headers=headers)


def _ended(here: Here, found: Guarantee, terms: Terms | None) -> Ended:
    return Ended(
        "expired" if found.status == "opened" else found.status,
        REASONS.get(found.why, ""),
        found.until_on,
        found.confirmed_at,
        terms,
        f"{give_guarantee_copy.path(here.settings, found)}/paper" if terms else "",
    )


@get("/guarantee/confirm")
async def confirm_page(request: Request) -> Response:
    here = await guarantor.at(request, "confirm")
    shown = await show_guarantee.show_guarantee(here.context, here.actor, here.session_id)
    return here.show(CONFIRM, _promise(shown))


@post("/guarantee/confirm", fields=("shown_token", "agree"))
async def confirm(request: Request) -> Response:
    """The word itself, apart from every consent; too early or unticked it is asked again and nothing is given."""
    here = await guarantor.at(request, "confirm")
    form = await forms.texts(request)
    token, said = form.get("shown_token", ""), ("愿意担保，请先勾选这一句", 422)
    try:
        if form.get("agree") == "yes":
            await confirm_guarantee.confirm_guarantee(here.context, here.actor, here.session_id, token)
            return here.go("/guarantee")
    except NotAGuarantor:
        return here.go("/guarantee")
    except (ReadTooFast, ShownTokenInvalid, AnswerMissing) as problem:
        said = _said(problem)
    shown = await show_guarantee.show_guarantee(here.context, here.actor, here.session_id, shown_token=token)
    return here.show(CONFIRM, _promise(shown, said[0]), said[1])


def _said(problem: ReadTooFast | ShownTokenInvalid | AnswerMissing) -> tuple[str, int]:
    """Why the word could not be taken now, and the page's status."""
    if isinstance(problem, AnswerMissing):
        return problem.text, 503
    if isinstance(problem, ReadTooFast):
        return f"请先看完，再过 {problem.seconds_left} 秒可以确认", 422
    return "这一页放得太久了，请从头再看一遍", 422


@post("/guarantee/refuse")
async def refuse(request: Request) -> Response:
    """At any step, without a reason."""
    here = await guarantor.of(request)
    found, _ = await guarantor.mine(here)
    await refuse_guarantee.refuse_guarantee(here.context, here.actor, found.id)
    return here.go("/guarantee")


async def _link(here: Here, link: str) -> tuple[Standing, str]:
    async with here.context.db.read(here.actor) as tx:
        found = await guarantees.by_token(tx, link)
        application = await applications.get(tx, found.application_id)
        standing = await still_stands(tx, found, application)
        return standing, await show_guarantee.asker(tx, standing)


def _own(here: Here, standing: Standing) -> bool:
    """Whether this is a browser the borrower uses; their card and phone would be refused anyway."""
    session = here.session
    return session is not None and (
        session.application_id == standing.application.id
        or session.customer_id == standing.guarantee.borrower_id
    )


def _ask(here: Here, standing: Standing, borrower: str) -> Ask:
    guarantee, contract = standing.guarantee, standing.contract
    return Ask(
        borrower=borrower,
        lender=here.institution.name,
        product_name=contract.product_name,
        amount_fen=guarantee.amount_fen,
        months=contract.term_months,
        line_until=guarantee.line_until,
        until_on=guarantee.until_on,
        annual_rate=contract.annual_rate,
        expires_at=guarantee.expires_at,
        path=here.request.scope["path"],
        own=_own(here, standing),
    )


def _promise(shown: show_guarantee.Shown, error: str = "") -> Promise:
    guarantee = shown.standing.guarantee
    return Promise(
        borrower=shown.borrower,
        amount_fen=guarantee.amount_fen,
        months=shown.standing.contract.term_months,
        until_on=guarantee.until_on,
        title=shown.terms.title,
        sections=shown.terms.sections,
        version=shown.terms.version,
        text_hash=shown.terms.sha256,
        shown_token=shown.shown_token,
        wait_seconds=shown.wait_seconds,
        error=error,
    )
