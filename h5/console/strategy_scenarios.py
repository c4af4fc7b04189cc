"""场景: the cases every version must meet, and how they stand with what decides now (issue 3 §2)."""

import msgspec
from litestar import get, post

from backend.core import ids
from backend.core.errors import Invalid
from backend.domains.decision.contracts import CHANNELS, WORDS
from backend.domains.decision.model import MOMENTS
from backend.domains.strategies import judging, scenario_book
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS, STAGES, OwnScenarioStop, Scenario, ScenarioResult
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.strategies import HOME, READERS, WRITERS, people, product_names

SHOW = "console/strategies/scenarios.html"
KINDS = {"": "一次审批"} | {str(stage): STAGES[stage] for stage in MOMENTS}
"""Of what there are scenarios: the whole decision, and each stage outside it."""


class Scenarios(msgspec.Struct, frozen=True, kw_only=True):
    """Each scenario of a product and `stage` ('': the decision) with what comes of it now, first those that want a
    person: not as they should be, or somebody wishes to stop them; `stopped` those that are run no more. `who`: names
    by staff id."""

    product: str
    product_name: str
    stage: str
    kinds: dict[str, str]
    names: dict[str, str]
    rows: tuple[tuple[Scenario, ScenarioResult], ...]
    outcomes: dict[str, str]
    ways: dict[str, str]
    may_write: bool
    stopped: tuple[Scenario, ...]
    who: dict[str, str]
    me: str
    told: str = ""


@get(f"{HOME}/scenarios", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    return here.show(SHOW, await _view(here, asked.get("product", ALL_PRODUCTS), asked.get("stage", "")))


@post(f"{HOME}/scenarios", opt=staff.only(*WRITERS), fields=("scenario", "product", "stage", "act", "why"))
async def stop(request: Request) -> Response:
    """Ask that one be run no more; another person's yes; or no, or taken back. Of the own institution only."""
    here, form = staff.here(request), await forms.texts(request)
    product, stage, act = form.get("product", ALL_PRODUCTS), form.get("stage", ""), form.get("act", "")
    number = form.get("scenario", "")
    try:
        if not ids.is_uuid(number) or act not in ("ask", "agree", "keep"):
            raise Invalid(fields={"scenario": "请点一个场景"})
        async with here.context.db.begin(here.actor) as tx:
            if act == "ask":
                await scenario_book.ask_to_stop(tx, number, form.get("why", ""))
            elif act == "agree":
                await scenario_book.stop(tx, number)
            else:
                await scenario_book.keep(tx, number)
    except (Invalid, OwnScenarioStop) as problem:
        told = "；".join(problem.fields.values()) if isinstance(problem, Invalid) else problem.text
        view = msgspec.structs.replace(await _view(here, product, stage), told=told)
        return here.show(SHOW, view, 422 if isinstance(problem, Invalid) else 403)
    return here.go(path_of(product, stage))


def path_of(product: str, stage: str) -> str:
    """The page of the scenarios a version of this stage must meet."""
    return f"{HOME}/scenarios?product={product}&stage={judging.moment(stage)}"


async def _view(here: Here, product: str, stage: str) -> Scenarios:
    stage = stage if stage in KINDS else ""  # a stage of the decision is met by the scenarios of all of it
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        product = product if product in names else ALL_PRODUCTS
        held = await scenario_book.of_product(tx, product, stage)
        gone = await scenario_book.stopped(tx, product, stage)
        asked = [each.stop_asked_by for each in (*held, *gone)] + [each.retired_by for each in gone]
        who = await people(tx, asked)
        results = {each.id: each for each in await scenario_book.run_live(tx, product, stage)}
    held.sort(key=lambda each: (not results[each.id].wrong, not each.stop_asked_by))
    return Scenarios(
        product=product,
        product_name=names[product],
        stage=stage,
        kinds=KINDS,
        names=names,
        rows=tuple((each, results[each.id]) for each in held),
        outcomes=judging.outcomes(stage),
        ways={each: WORDS[each] for each in CHANNELS},
        may_write=strategies.may_write(here.actor),
        stopped=tuple(gone),
        who=who,
        me=str(here.actor),
    )
