"""场景: the cases every version must meet, and how they stand with what decides now (issue 3 §2)."""

import msgspec
from litestar import get, post

from backend.core import ids
from backend.core.errors import Invalid
from backend.domains.strategies import scenario_book
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS, Scenario, ScenarioResult
from backend.domains.strategies.scenarios import OUTCOMES
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.strategies import HOME, READERS, WRITERS, product_names

SHOW = "console/strategies/scenarios.html"


class Scenarios(msgspec.Struct, frozen=True, kw_only=True):
    """Each scenario with what comes of it now."""

    product: str
    product_name: str
    names: dict[str, str]
    rows: tuple[tuple[Scenario, ScenarioResult], ...]
    outcomes: dict[str, str]
    may_write: bool
    told: str = ""


@get(f"{HOME}/scenarios", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, request.query_params.get("product", ALL_PRODUCTS)))


@post(f"{HOME}/scenarios", opt=staff.only(*WRITERS), fields=("scenario", "product"))
async def retire(request: Request) -> Response:
    """It is run no more; old checks still name it. Of the own institution only."""
    here, form = staff.here(request), await forms.texts(request)
    product = form.get("product", ALL_PRODUCTS)
    if not ids.is_uuid(form.get("scenario", "")):
        problem = Invalid(fields={"scenario": "请点一个场景"})
        view = msgspec.structs.replace(await _view(here, product), told=problem.fields["scenario"])
        return here.show(SHOW, view, 422)
    async with here.context.db.begin(here.actor) as tx:
        await scenario_book.retire(tx, form["scenario"])
    return here.go(f"{HOME}/scenarios?product={product}")


async def _view(here: Here, product: str) -> Scenarios:
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        product = product if product in names else ALL_PRODUCTS
        held = await scenario_book.of_product(tx, product)
        results = {each.id: each for each in await scenario_book.run_live(tx, product)}
    return Scenarios(
        product=product,
        product_name=names[product],
        names=names,
        rows=tuple((each, results[each.id]) for each in held),
        outcomes=OUTCOMES,
        may_write=strategies.may_write(here.actor),
    )
