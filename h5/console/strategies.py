"""决策流配置: the strategies by product and stage, and one strategy with its versions (A10-14, A3-33, A3-34)."""

from typing import Any

import msgspec
from litestar import get, post

from backend.core.errors import Conflict, Invalid
from backend.db.database import Tx
from backend.domains.decision.model import DECIDING, MOMENTS, Stage
from backend.domains.identity import service as identity
from backend.domains.products import service as products
from backend.domains.strategies import (
    checks,
    counties,
    course,
    going_back,
    nesting,
    overlays,
    unfolding,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.counties import Overlay
from backend.domains.strategies.course import Back
from backend.domains.strategies.model import (
    ALL_PRODUCTS,
    MAKERS_COUNTY,
    MAKERS_UNION,
    STAGES,
    UNION,
    CountyContent,
    UnionContent,
    Version,
)
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_models, strategy_tables
from h5.console.strategy_tables import Sheet

HOME = "/console/strategies"
READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
WRITERS = tuple(dict.fromkeys((*MAKERS_COUNTY, *MAKERS_UNION)))
EVERY_PRODUCT = "所有产品"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of one product: what is live of head office and of the county, and what is being written."""

    stage: str
    label: str
    path: str
    union: Version | None
    own: Version | None
    working: Version | None


class Group(msgspec.Struct, frozen=True):
    product: str
    name: str
    lines: tuple[Line, ...]


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """`inbox` pairs a submitted version with whether this person may be its second one; `upcoming` await their day;
    `back` are those one person brought back alone, or the end of another, for a second look; `ended` those after which
    nothing came back."""

    inbox: tuple[tuple[Version, bool], ...]
    back: tuple[Back, ...]
    ended: tuple[Back, ...]
    who: dict[str, str]
    counties: dict[str, str]
    upcoming: tuple[Version, ...]
    groups: tuple[Group, ...]
    names: dict[str, str]
    layer: str
    may_write: bool
    stages: dict[str, str]
    told: str = ""
    product: str = ALL_PRODUCTS
    stage: str = ""
    reason: str = ""
    errors: dict[str, str] = {}


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy: what decides now, and every version of this person's layer, newest first. `overlays` are what
    counties add, for head office; `warned` what of the county's own no longer fits head office's bands; `tighter` what
    a county's layer can do at a stage outside a decision; `back` what going back would bring."""

    product: str
    product_name: str
    stage: str
    stages: tuple[tuple[str, str, str], ...]
    union: Version | None
    own: Version | None
    sheet: Sheet
    history: tuple[tuple[Version, str], ...]
    working: Version | None
    layer: str
    may_write: bool
    back: Version | None
    may_roll_back: bool
    by_another: bool
    overlays: tuple[tuple[str, Overlay], ...] = ()
    warned: tuple[str, ...] = ()
    tighter: str = ""
    told: str = ""
    reason: str = ""
    errors: dict[str, str] = {}


@get(HOME, opt=staff.only(*READERS))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    return here.show("console/strategies/show_all.html", await _shelf(here))


@get(f"{HOME}/of", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    product, stage = asked.get("product", ALL_PRODUCTS), asked.get("stage", "")
    return here.show("console/strategies/show.html", await _strategy(here, product, stage_of(stage)))


@post(f"{HOME}/drafts", opt=staff.only(*WRITERS), fields=("product", "stage", "reason", "copy_of"))
async def begin(request: Request) -> Response:
    """A draft of this person's own layer, holding what is live."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        if form.get("stage") not in STAGES:
            raise Invalid(fields={"stage": "请选一个环节"})
        async with here.context.db.begin(here.actor) as tx:
            await _known(tx, form.get("product", ""))
            made = await strategies.draft(
                tx, form["product"], Stage(form["stage"]), reason=form.get("reason", "")
            )
    except (Invalid, Conflict) as problem:
        return here.show(
            "console/strategies/show_all.html", await _shelf(here, form, problem), _code(problem)
        )
    return here.go(f"{HOME}/{made.id}")


@post(f"{HOME}/roll-back", opt=staff.only(*WRITERS), fields=("product", "stage", "reason"))
async def roll_back(request: Request) -> Response:
    """退回: what was live before decides again, in one act."""
    here, form = staff.here(request), await forms.texts(request)
    product, stage = form.get("product", ALL_PRODUCTS), stage_of(form.get("stage", ""))
    here.require_fresh(path_of(product, str(stage)))
    try:
        if form.get("stage") not in STAGES:
            raise Invalid(fields={"reason": "请从一条策略的页面退回"})
        async with here.context.db.begin(here.actor) as tx:
            back = await strategies.roll_back(tx, product, stage, reason=form.get("reason", ""))
    except (Invalid, Conflict) as problem:
        view = await _strategy(here, product, stage, form, problem)
        return here.show("console/strategies/show.html", view, _code(problem))
    return here.go(f"{HOME}/{back.id}")


def stage_of(text: str) -> Stage:
    """The stage of an address; what is none is the first one people look for."""
    return Stage(text) if text in STAGES else Stage.ELIGIBILITY


def path_of(product: str, stage: str) -> str:
    return f"{HOME}/of?product={product}&stage={stage}"


def _code(problem: Invalid | Conflict) -> int:
    return 422 if isinstance(problem, Invalid) else 409


async def product_names(tx: Tx) -> dict[str, str]:
    """Code → name of everything a strategy may be for, '*' first."""
    leaves = [leaf for brand in await products.tree(tx) for s in brand.series for leaf in s.products]
    return {ALL_PRODUCTS: EVERY_PRODUCT, **{leaf.code: leaf.name for leaf in leaves}}


async def people(tx: Tx, whos: list[str | None]) -> dict[str, str]:
    """`staff:ID` or `system:NAME` → how a person reads it; head office's people are not told by name to a county."""
    found = {}
    for who in {each for each in whos if each}:
        kind, _, number = who.partition(":")
        person = await identity.staff(tx, number) if kind == "staff" else None
        found[who] = person.name if person else "系统" if kind == "system" else "省联社"
    return found


async def overlays_of(
    here: Here, product: str, stage: Stage, content: UnionContent
) -> tuple[tuple[str, Overlay], ...]:
    """(county, its overlay held against the union's content), for head office; nothing for a county."""
    if not here.head_office:
        return ()
    names = {each.id: each.short_name for each in await staff.counties(here)}
    async with here.context.db.read(here.reader) as tx:
        held = await counties.of_strategy(tx, product, stage, content)
    return tuple((names.get(each.version.institution_id, each.version.institution_id), each) for each in held)


async def _known(tx: Tx, product: str) -> None:
    if product not in await product_names(tx):
        raise Invalid(fields={"product": "请选一个产品"})


async def _shelf(
    here: Here, form: dict[str, str] | None = None, problem: Invalid | Conflict | None = None
) -> Shelf:
    written = form or {}
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        live, drafts = await strategies.in_use(tx), await strategies.open_drafts(tx)
        inbox = [(each, strategies.may_approve(here.actor, each)) for each in await strategies.waiting(tx)]
        upcoming = tuple(await strategies.upcoming(tx))
    async with here.context.db.read(here.reader if here.head_office else here.actor) as tx:
        back, ended = await course.brought_back(tx), await course.not_returned(tx)
        who = await people(tx, [each.who for each in back])
    codes = dict.fromkeys([ALL_PRODUCTS, *(each.product_code for each in (*live, *drafts))])
    return Shelf(
        inbox=tuple(inbox),
        back=tuple(back),
        ended=tuple(ended),
        who=who,
        counties={each.id: each.short_name for each in await staff.counties(here)} if back or ended else {},
        upcoming=upcoming,
        groups=tuple(_group(here, code, names, live, drafts) for code in codes),
        names=names,
        layer=strategies.owner_of(here.actor),
        may_write=strategies.may_write(here.actor),
        stages=STAGES,
        told=problem.text if isinstance(problem, Conflict) else "",
        product=written.get("product", ALL_PRODUCTS),
        stage=written.get("stage", ""),
        reason=written.get("reason", ""),
        errors=problem.fields if isinstance(problem, Invalid) else {},
    )


def _group(here: Here, code: str, names: dict[str, str], live: list[Version], drafts: list[Version]) -> Group:
    owner = strategies.owner_of(here.actor)
    lines = []
    for stage in (*DECIDING, *MOMENTS):
        mine = [each for each in drafts if _is(each, owner, code, stage)]
        line = Line(
            stage=stage,
            label=STAGES[stage],
            path=path_of(code, stage),
            union=next((each for each in live if _is(each, UNION, code, stage)), None),
            own=next((each for each in live if owner != UNION and _is(each, owner, code, stage)), None),
            working=mine[0] if mine else None,
        )
        if code == ALL_PRODUCTS or line.union or line.own or line.working:
            lines.append(line)
    return Group(code, names.get(code, code), tuple(lines))


def _is(version: Version, owner: str, code: str, stage: str) -> bool:
    return (version.institution_id, version.product_code, version.stage) == (owner, code, stage)


async def _strategy(
    here: Here,
    product: str,
    stage: Stage,
    form: dict[str, str] | None = None,
    problem: Invalid | Conflict | None = None,
) -> Strategy:
    owner = strategies.owner_of(here.actor)
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        if product not in names:
            product = ALL_PRODUCTS
        floor = await strategies.floor(tx, product, stage)
        union = await strategies.live_version(tx, UNION, product, stage)
        own = await strategies.live_version(tx, owner, product, stage) if owner != UNION else None
        history = await strategies.history(tx, owner, product, stage)
        back = await going_back.find(tx, owner, product, stage)
        who = await people(tx, [each.maker for each in history])
        outgrown = await checks.outdated(tx, own) if own else []
        flows = await nesting.flows_of(tx, floor.document)
        models = await strategy_models.known(here, tx, [floor.document])
    shown: Any = own.content if own else floor if owner == UNION else CountyContent()
    writes = strategies.may_write(here.actor)
    return Strategy(
        product=product,
        product_name=names[product],
        stage=stage,
        stages=tuple((each, STAGES[each], path_of(product, each)) for each in (*DECIDING, *MOMENTS)),
        union=union,
        own=own,
        sheet=strategy_tables.sheet(
            stage, shown, unfolding.laid_out(floor, flows), models=models, flows=flows
        ),
        history=tuple((each, who.get(each.maker, "")) for each in history if each.status != "superseded"),
        working=next((each for each in history if each.status in ("draft", "checked")), None),
        layer=owner,
        may_write=writes,
        overlays=await overlays_of(here, product, stage, floor),
        warned=tuple(f"{each.place}：{each.sentence}" for each in outgrown),
        tighter=overlays.TIGHTER.get(stage, ""),
        back=back,
        may_roll_back=writes and back is not None and going_back.allowed(here.actor, back),
        by_another=writes and back is not None and not going_back.allowed(here.actor, back),
        told=problem.text if isinstance(problem, Conflict) else "",
        reason=(form or {}).get("reason", ""),
        errors=problem.fields if isinstance(problem, Invalid) else {},
    )
