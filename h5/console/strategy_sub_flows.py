"""What stands at the address of a version: itself, or with nodes behind it (`ID~flow-1`) one of its sub-flows, with
graph, tables and what changed in it; check and approval are the version's (issue 3 §8)."""

import msgspec
from litestar import get
from litestar.params import FromPath

from backend.core import ids
from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.domains.strategies import course, inside, nesting
from backend.domains.strategies import service as strategies
from backend.domains.strategies.changes import Change
from backend.domains.strategies.model import INSIDE, UnionContent, Version
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_graph, strategy_models, strategy_tables, strategy_versions
from h5.console.strategies import HOME, READERS
from h5.console.strategy_graph import Drawing
from h5.console.strategy_tables import Sheet

INNER = "console/strategies/sub_flow.html"


class InnerPage(msgspec.Struct, frozen=True, kw_only=True):
    """A sub-flow of a version: `ways` are (name, address) of what it lies in, from the outside in; `changes` those of
    the version inside it; `checked`: the version was, `wrong`: with findings in here. `saved`: it was a
    moment ago."""

    version: Version
    name: str
    ways: tuple[tuple[str, str], ...]
    drawing: Drawing
    sheet: Sheet
    changes: tuple[Change, ...]
    against: str
    checked: bool
    wrong: bool
    may_edit: bool
    newest: Version | None
    saved: bool = False


@get(f"{HOME}/{{version_id:str}}", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here = staff.here(request)
    asked = request.query_params
    left, saved = asked.get("left", ""), asked.get("saved") == "1"
    if INSIDE in version_id:
        return here.show(INNER, msgspec.structs.replace(await inner_view(here, version_id), saved=saved))
    page = await strategy_versions.view(here, version_id)
    return here.show(
        strategy_versions.SHOW,
        msgspec.structs.replace(page, left=left if ids.is_uuid(left) else "", saved=saved),
    )


async def page(
    here: Here,
    address: str,
    form: dict[str, str] | None = None,
    problem: Invalid | Conflict | NotPermitted | None = None,
) -> tuple[str, msgspec.Struct]:
    """Template and view of a version, or of one of its sub-flows."""
    if INSIDE in address:
        return INNER, await inner_view(here, address)
    return strategy_versions.SHOW, await strategy_versions.view(here, address, form, problem)


async def inner_view(here: Here, address: str) -> InnerPage:
    """Raises `StrategyMissing`."""
    async with here.context.db.read(here.actor) as tx:
        version, whole = await inside.opened(tx, address), await strategies.get(tx, address.split(INSIDE)[0])
        content = version.content
        assert isinstance(content, UnionContent)
        run, before = await strategies.last_check(tx, version.id), await course.compared_with(tx, whole)
        models = await strategy_models.known(here, tx, [content.document])
        told = await course.changes_of(tx, whole, before, strategy_models.names(models))
        flows = await nesting.flows_of(tx, content.document)
        newest = await strategy_versions.newest_draft(tx, version)
    nodes, names = (
        "".join(f"{each[n]}{end}" for each in version.within) for n, end in ((0, "/"), (1, nesting.BETWEEN))
    )
    findings = nesting.seen_from(run.report.findings if run else [], version.within, others=False)
    outer = [msgspec.structs.replace(whole, within=version.within[:n]) for n in range(len(version.within))]
    return InnerPage(
        version=version,
        name=version.within[-1][1],
        ways=tuple((each.within[-1][1] if each.within else each.label, each.address) for each in outer),
        drawing=strategy_graph.draw(content.document),
        sheet=strategy_tables.sheet(version.stage, content, content, findings, models=models, flows=flows),
        changes=tuple(
            msgspec.structs.replace(each, table=each.table.removeprefix(names))
            for each in told
            if each.node.startswith(nodes)
        ),
        against=strategy_versions.against(whole, before),
        checked=run is not None,
        wrong=any(each.blocks for each in findings),
        may_edit=strategy_versions.acts_of(here, version).edit,
        newest=newest,
    )
