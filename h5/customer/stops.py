"""The pages that answer a road which ends or turns: each a refusal by a flow, told in the house's words."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from backend.core import clock
from backend.core.errors import Problem
from backend.domains.applications import service as applications
from backend.domains.applications.model import AlreadyOpen
from backend.domains.contracts.model import OfferExpired
from backend.domains.customers.model import CardContradictsItself, CardExpired
from backend.domains.products.model import ProductNotLive
from backend.domains.regulation import service as regulation
from backend.flows.capture_identity import TooYoung
from backend.flows.confirm_identity import LivesElsewhere, OpenElsewhere, OutsideTheUnion
from backend.flows.save_details import StudentsNotServed
from backend.web import customer, templates
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views


async def answer(draft: Draft, problem: Problem) -> Response | None:
    """The page of a stop; None for what can be mended in place."""
    made = _STOPS.get(type(problem))
    if made is None:
        return None
    name, view = made
    return draft.here.show(name, await view(draft, problem), 409)


async def not_yours(request: Request) -> Response:
    """The link of an application somebody else opened: the same page as for a number that does not exist, with the
    way to this browser's own application where it has one."""
    here, own = await customer.anywhere(request), ""
    if here.session is not None and here.session.application_id is not None:
        async with here.context.db.read(here.actor) as tx:
            own = customer.place(await applications.get(tx, here.session.application_id), here.session)
    view = views.NotYours("" if own == "/resume" else own)
    page = replace(here.page(), path="/")  # never with a number that may be somebody's
    return customer.html(templates.render("customer/stop/not_yours.html", page=page, view=view), 404)


async def _under_age(_: Draft, problem: Any) -> Struct:
    return views.UnderAge(problem.details["adult_on"], problem.details["child"])


async def _expired_card(draft: Draft, problem: Any) -> Struct:
    async with draft.here.context.db.read(draft.here.actor) as tx:
        days = (await regulation.in_force(tx, clock.today())).count("retention.abandoned_days")
    kept = clock.local(draft.application.updated_at).date() + timedelta(days=days)
    return views.ExpiredCard(cast(date, problem.details["expired_on"]), kept)


async def _contradicting(_: Draft, problem: Any) -> Struct:
    return views.ContradictingCard("、".join(dict.fromkeys(problem.fields.values())) or problem.text)


async def _elsewhere(_: Draft, problem: Any) -> Struct:
    at = problem.details
    url = f"/p/{at['institution_id']}/{at['product_code']}" if at["product_code"] else "/"
    return views.Elsewhere(str(at["county"]), str(at["institution_name"]), url)


async def _outside(draft: Draft, _: Any) -> Struct:
    known = await customer.live_institutions(draft.here.request)
    return views.Outside("、".join(each.county for each in known.values()))


async def _open_here(draft: Draft, problem: Any) -> Struct:
    """The number only where it is this browser's own: who took these photographs has not proved whose card it is."""
    number, product = str(problem.details["application_no"]), str(problem.details["product"])
    url = "/resume"
    if draft.session.customer_id is not None:
        async with draft.here.context.db.read(draft.here.actor) as tx:
            mine = await applications.of_customer(tx, draft.session.customer_id)
        url = next((f"/my/{number}" for each in mine if each.application_no == number), url)
    return views.OpenApplication(number if url != "/resume" else "", product, None, url)


async def _open_elsewhere(_: Draft, problem: Any) -> Struct:
    return views.OpenElsewhere(str(problem.details["county"]), str(problem.details["institution_name"]))


async def _student(draft: Draft, _: Any) -> Struct:
    return views.Student(draft.here.institution.service_phone)


async def _product_ended(_draft: Draft, _: Any) -> Struct:
    return views.ProductEnded()


async def _offer_expired(mine: Draft, problem: Any) -> Struct:
    application = mine.application
    url = f"/p/{application.institution_id}/{application.product_code}"
    return views.OfferExpired(cast(date, problem.details["valid_until"]), url)


_STOPS: dict[type[Problem], tuple[str, Callable[[Draft, Any], Awaitable[Struct]]]] = {
    TooYoung: ("customer/stop/under_age.html", _under_age),
    CardExpired: ("customer/stop/expired_card.html", _expired_card),
    CardContradictsItself: ("customer/stop/contradicting_card.html", _contradicting),
    LivesElsewhere: ("customer/stop/elsewhere.html", _elsewhere),
    OutsideTheUnion: ("customer/stop/outside.html", _outside),
    AlreadyOpen: ("customer/stop/open_application.html", _open_here),
    OpenElsewhere: ("customer/stop/open_elsewhere.html", _open_elsewhere),
    StudentsNotServed: ("customer/stop/student.html", _student),
    OfferExpired: ("customer/stop/offer_expired.html", _offer_expired),
    ProductNotLive: ("customer/stop/product_ended.html", _product_ended),
}
