"""The front door: for people who open the bank's address without having scanned anything."""

from litestar import get

from backend.core import clock
from backend.core.actor import everywhere
from backend.domains.campaigns import service as campaigns
from backend.domains.institutions.model import Institution
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.web import customer
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer import views

MOST_CODES = 3


@get("/")
async def show(request: Request) -> Response:
    here = await customer.anywhere(request)
    known = await customer.live_institutions(request)
    counties = [await _county(here, each) for each in known.values()]
    return here.show("customer/entry/show.html", views.Entry(tuple(counties)))


async def _county(here: Here, institution: Institution) -> views.County:
    """Its products; its demo codes too while nothing is for real."""
    async with here.context.db.read(everywhere("entry").within(institution.id)) as tx:
        offered = await products.list_live(tx, institution.id, clock.today())
        codes = [] if here.settings.production else await campaigns.list_codes(tx)
    usable = [code for code in codes if code.revoked_at is None and code.expires_at > clock.now()]
    return views.County(
        institution.county,
        institution.short_name,
        tuple(_link(institution, p) for p in offered if p.terms.online_road),
        tuple(views.Link(c.placement_label, campaigns.path(c.token)) for c in reversed(usable[-MOST_CODES:])),
        tuple(_link(institution, p) for p in offered if not p.terms.online_road),
    )


def _link(institution: Institution, product: Product) -> views.Link:
    return views.Link(product.name, f"/p/{institution.id}/{product.code}")
