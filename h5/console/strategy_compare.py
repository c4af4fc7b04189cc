"""Any two versions of a stage beside each other: rows added, removed and changed, cells next to each other, in
Chinese (A3-33). Across layers too: a county's version is shown laid over head office's tables."""

import msgspec
from litestar import get

from backend.core import ids
from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import beside, counties, diff
from backend.domains.strategies import service as strategies
from backend.domains.strategies.beside import Table
from backend.domains.strategies.changes import Change
from backend.domains.strategies.model import UNION, StrategyMissing, UnionContent, Version
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_models
from h5.console.strategies import HOME, READERS, path_of, product_names, stage_of
from h5.console.strategy_versions import reader

SHOW = "console/strategies/compare.html"
SEEN_OF_OTHERS = ("approved", "live", "retired")
"""Another layer's drafts are its own business."""


class Choice(msgspec.Struct, frozen=True):
    version: Version
    label: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`before` and `after` None: there are not two versions yet. `across`: of two layers. `whole`: rows that did not
    change are shown too. `others` are differences outside the tables; `unreadable`: a draft that is no whole flow."""

    product_name: str
    product: str
    stage: str
    strategy_path: str
    choices: tuple[Choice, ...]
    before: Choice | None
    after: Choice | None
    across: bool = False
    whole: bool = False
    tables: tuple[Table, ...] = ()
    others: tuple[Change, ...] = ()
    unreadable: bool = False
    kinds: dict[str, str] = msgspec.field(default_factory=beside.KINDS.copy)


@get(f"{HOME}/compare", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    chosen = [asked.get(side, "") for side in ("before", "after")]
    stage, product = stage_of(asked.get("stage", "")), asked.get("product", "*")
    for version_id in filter(None, chosen):
        found = await _version(here, version_id)
        stage, product = found.stage, found.product_code
    return here.show(SHOW, await _view(here, product, stage, chosen, asked.get("whole") == "yes"))


async def _version(here: Here, version_id: str) -> Version:
    """Raises `StrategyMissing`, also for another county's."""
    if not ids.is_uuid(version_id):
        raise StrategyMissing()
    async with here.context.db.read(await reader(here, version_id)) as tx:
        return await strategies.get(tx, version_id)


async def _view(here: Here, product: str, stage: Stage, chosen: list[str], whole: bool) -> Comparison:
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        product = product if product in names else "*"
    names_of_counties = {each.id: each.short_name for each in await staff.counties(here)}
    choices = await _choices(here, product, stage, names_of_counties)
    for version_id in chosen:
        if version_id and version_id not in {each.version.id for each in choices}:
            choices.append(_choice(await _version(here, version_id), names_of_counties))
    by_id = {each.version.id: each for each in choices}
    after = by_id.get(chosen[1]) or (choices[0] if choices else None)
    before = by_id.get(chosen[0]) or next((c for c in choices if after and c is not after), None)
    if before is not None and after is not None and before.version.stage is not after.version.stage:
        raise StrategyMissing()
    view = Comparison(
        product_name=names[product],
        product=product,
        stage=stage,
        strategy_path=path_of(product, stage),
        choices=tuple(choices),
        before=before,
        after=after,
        whole=whole,
    )
    return view if before is None or after is None else await _compared(here, view, before, after)


async def _compared(here: Here, view: Comparison, before: Choice, after: Choice) -> Comparison:
    one, other = before.version, after.version
    async with here.context.db.read(here.actor) as tx:
        laid = [await counties.applies(tx, each) for each in (one, other)]
        floor = await strategies.laid_out_floor(tx, other.product_code, other.stage)
        sides, flows = [each for each, _ in laid], {**laid[0][1], **laid[1][1]}
        documents = [*(each.document for each in sides), *flows.values()]
        models = await strategy_models.known(here, tx, documents)
    across, known = one.layer != other.layer, facts.catalogue()
    try:
        found = beside.tables(other.stage, sides[0].document, sides[1].document, known, flows)
    except (LookupError, TypeError, AttributeError):
        return msgspec.structs.replace(view, across=across, unreadable=True)
    contents = (one.content, other.content)
    if across:  # what is opened is head office's alone
        openings = sides[1].openings
        contents = tuple(UnionContent(document=each.document, openings=openings) for each in sides)  # type: ignore[assignment]
    said = diff.between(other.stage, *contents, known, floor, strategy_models.names(models), flows)
    others = tuple(
        each for each in said if each.what in ("节点", "算式", "连线", "列", "开放的位置", "加减点", "参数")
    )
    return msgspec.structs.replace(view, across=across, tables=found, others=others)


async def _choices(here: Here, product: str, stage: Stage, names: dict[str, str]) -> list[Choice]:
    """Own versions first, then the other layer's that were approved; head office sees every county's live ones."""
    owner = strategies.owner_of(here.actor)
    async with here.context.db.read(here.actor) as tx:
        own = await strategies.history(tx, owner, product, stage)
        union = await strategies.history(tx, UNION, product, stage) if owner != UNION else []
        floor = await strategies.floor(tx, product, stage)
    found = [each for each in own if each.status != "superseded"]
    found += [each for each in union if each.status in SEEN_OF_OTHERS]
    if here.head_office:
        async with here.context.db.read(here.reader) as tx:
            found += [each.version for each in await counties.of_strategy(tx, product, stage, floor)]
    return [_choice(each, names) for each in found]


def _choice(version: Version, names: dict[str, str]) -> Choice:
    whose = "省联社" if version.layer == "union" else names.get(version.institution_id, "本行")
    return Choice(version, f"{whose}第 {version.number} 版（{version.status_label}）")
