"""Strategies as files: the rows of a table by Excel or pasted text, a whole flow as JDM for GoRules' own editor
(A3-33). What comes back is a new draft and passes the same checks."""

from typing import Any
from urllib.parse import quote

import litestar
import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.core.plain_text import plain
from backend.db.database import Tx
from backend.domains.decision import facts, jdm, jdm_archive
from backend.domains.decision import service as decisions
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import (
    aside,
    cells,
    checks,
    computing,
    inside,
    nesting,
    overlays,
    sheets,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import Content, NotYourStrategy, StrategyMissing, UnionContent, Version
from backend.domains.strategies.nesting import Flows
from backend.domains.strategies.sheets import SheetWrong
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_edits, strategy_graph, strategy_tables, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_rows import free_id
from h5.console.strategy_versions import code_of, reader

SHOW = "console/strategies/files.html"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_WRONG = 30


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """`tables`: (id, name, may be written). `archive`: the flow is exported with sub-flows. `wrong` are the mistakes of
    what was sent."""

    version: Version
    tables: tuple[tuple[str, str, bool], ...]
    table: str
    archive: bool
    may_edit: bool
    pasted: str = ""
    note: str = ""
    told: str = ""
    wrong: tuple[str, ...] = ()
    more: int = 0


@get(f"{HOME}/{{version_id:str}}/files", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here, table = staff.here(request), request.query_params.get("table", "")
    return here.show(SHOW, await _view(here, version_id, {"table": table}))


@get(f"{HOME}/{{version_id:str}}/rows.xlsx", opt=staff.only(*READERS))
async def export_rows(request: Request, version_id: FromPath[str]) -> Response:
    here = staff.here(request)
    async with here.context.db.read(await reader(here, version_id)) as tx:
        version, node = await _node(tx, version_id, request.query_params.get("table", ""))
        known = await _words(tx, version, node["id"])
    columns = cells.columns(version.stage, node["content"], known)
    rows = strategy_tables.rules(version.content, node["id"])
    return _file(
        sheets.write(node["name"], columns, rows, known), XLSX, f"{version.label} {node['name']}.xlsx"
    )


@get(f"{HOME}/{{version_id:str}}/flow.json", opt=staff.only(*READERS))
async def export_flow(request: Request, version_id: FromPath[str]) -> Response:
    """One file; an archive where the flow runs sub-flows."""
    here = staff.here(request)
    async with here.context.db.read(await reader(here, version_id)) as tx:
        version = await inside.opened(tx, version_id)
        document = await checks.document_of(tx, version)
        flows = await nesting.flows_of(tx, document)
    if flows:
        return _file(jdm_archive.write(document, flows), "application/zip", f"{version.label}.zip")
    return _file(jdm.write(document), "application/json", f"{version.label}.json")


@post(
    f"{HOME}/{{version_id:str}}/rows",
    opt=staff.only(*WRITERS),
    fields=("table", "pasted", "note"),
    files=("sheet",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def import_rows(request: Request, version_id: FromPath[str]) -> Response:
    """The rows of one table, of an Excel file or pasted; all or none."""
    here, form = staff.here(request), await _texts(request)
    content = await _uploaded(request, "sheet")
    try:
        async with here.context.db.read(here.actor) as tx:
            version, node = await _node(tx, version_id, form.get("table", ""))
            floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
            known = await _words(tx, version, node["id"])
        if not strategy_tables.is_open(version.content, floor, node["id"]):
            raise NotYourStrategy()
        read = await aside.run(_read_rows, version, node, known, content, form.get("pasted", ""))
        async with here.context.db.begin(here.actor) as tx:
            note = f"{_note(form, '从表格导入')}（{_came_of(version, read, node['id'])}）"
            written = await strategy_edits.written(tx, version, read)
            made = await inside.save(tx, version, written, note=note)
    except (Invalid, Conflict, NotPermitted) as problem:
        return here.show(SHOW, await _view(here, version_id, form, problem), code_of(problem))
    return here.go(f"{HOME}/{made.address}?saved=1#t-{strategy_tables.anchor(node['id'])}")


@post(
    f"{HOME}/{{version_id:str}}/flow",
    opt=staff.only(*WRITERS),
    fields=("note",),
    files=("file",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def import_flow(request: Request, version_id: FromPath[str]) -> Response:
    """A whole flow from a JDM file, or an archive with its sub-flows; head office's alone, what it opens to counties
    stays."""
    here, form = staff.here(request), await _texts(request)
    content = await _uploaded(request, "file")
    try:
        async with here.context.db.read(here.actor) as tx:
            version = await inside.opened(tx, version_id)
        read, flows = await aside.run(_read_flow, version, content)
        async with here.context.db.begin(here.actor) as tx:
            for inner in flows.values():
                await decisions.store(tx, version.stage, inner)
            written = await strategy_edits.written(tx, version, read)
            made = await inside.save(tx, version, written, note=_note(form, "从流程图文件导入"))
    except (Invalid, Conflict, NotPermitted) as problem:
        return here.show(SHOW, await _view(here, version_id, form, problem), code_of(problem))
    return here.go(f"{HOME}/{made.address}?saved=1")


def _read_flow(version: Version, file: bytes) -> tuple[UnionContent, Flows]:
    """Raises `FileUnreadable`, `NotYourStrategy`, `ContentInvalid` for too many rows."""
    if not file:
        raise jdm.FileUnreadable(why="没有选文件，或文件是空的")
    document, flows = jdm_archive.read(file)
    if not isinstance(version.content, UnionContent):
        raise NotYourStrategy()
    read = UnionContent(document=document, openings=version.content.openings)
    for each in (read, *(UnionContent(document=inner) for inner in flows.values())):
        require_drawable(version, each)
    return read, flows


def require_drawable(version: Version, content: UnionContent) -> None:
    """What the pages could not show is not taken in. Raises `FileUnreadable`; all else the checks say."""
    try:
        checks.require_rows(content.document)
        strategy_tables.sheet(version.stage, content, content)
        strategy_graph.draw(content.document)
        drawn = bool(overlays.tables(content.document))
    except (LookupError, TypeError, AttributeError, ValueError) as cause:
        raise jdm.FileUnreadable(why="有一张表或一条线没有写完整") from cause
    if not drawn:
        raise jdm.FileUnreadable(why="里面没有一张规则表")


async def _words(tx: Tx, version: Version, table: str) -> Catalogue:
    """The catalogue with the names the flow or sub-flow around a table defines."""
    floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
    document = version.content.document if isinstance(version.content, UnionContent) else floor.document
    return computing.words(document, table, facts.catalogue())


def _read_rows(version: Version, node: dict[str, Any], known: Catalogue, file: bytes, pasted: str) -> Content:
    """Raises `SheetWrong`."""
    if not file and not pasted.strip():
        raise SheetWrong(["没有选 Excel 文件，也没有贴内容"])
    grid = sheets.grid_of_file(file) if file else sheets.grid_of_text(pasted)
    table = str(node["id"])
    held = strategy_tables.rules(version.content, table)
    columns = cells.columns(version.stage, node["content"], known)
    rows = sheets.rules_of(grid, columns, held, known, free_id(table, held))
    return strategy_tables.with_rules(version.content, table, rows)


async def _node(tx: Tx, version_id: str, table: str) -> tuple[Version, dict[str, Any]]:
    """The version and one of its tables, the first where none is named. Raises `StrategyMissing`."""
    version = await inside.opened(tx, version_id)
    floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
    node = strategy_tables.node_of(version.content, floor, table)
    document = version.content.document if isinstance(version.content, UnionContent) else floor.document
    node = node or next(iter(overlays.tables(document).values()), None)
    if node is None:
        raise StrategyMissing()
    return version, node


async def _texts(request: Request) -> dict[str, str]:
    """As `forms.texts`; what is pasted may be long, and its tabs count."""
    given = (await request.form()).get("pasted", "")
    lines = str(given).replace("\t", "\ue000") if isinstance(given, str) else ""
    return {**await forms.texts(request), "pasted": plain(lines).replace("\ue000", "\t")}


async def _uploaded(request: Request, name: str) -> bytes:
    given = (await request.form()).get(name)
    return await given.read() if isinstance(given, UploadFile) else b""


def _came_of(version: Version, read: Content, table: str) -> str:
    """What an import does to the rows: those a file leaves out go without a further word."""
    old, new = (
        {rule["_id"]: rule for rule in strategy_tables.rules(each, table)} for each in (version.content, read)
    )
    changed = sum(old[row] != new[row] for row in old.keys() & new.keys())
    return (
        f"新增 {len(new.keys() - old.keys())} 行，修改 {changed} 行，删掉 {len(old.keys() - new.keys())} 行"
    )


def _note(form: dict[str, str], otherwise: str) -> str:
    return (form.get("note") or otherwise)[:200]


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    answer: Response = litestar.Response(body, media_type=kind, headers=headers)
    return answer


async def _view(
    here: Here,
    version_id: str,
    form: dict[str, str],
    problem: Invalid | Conflict | NotPermitted | None = None,
) -> Files:
    async with here.context.db.read(await reader(here, version_id)) as tx:
        version, node = await _node(tx, version_id, form.get("table", ""))
        floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
    document = version.content.document if isinstance(version.content, UnionContent) else floor.document
    wrong = problem.sentences if isinstance(problem, SheetWrong) else []
    return Files(
        version=version,
        tables=tuple(
            (each["id"], each["name"], strategy_tables.is_open(version.content, floor, each["id"]))
            for each in overlays.tables(document).values()
        ),
        table=str(node["id"]),
        archive=isinstance(version.content, UnionContent) and bool(nesting.nodes_of(document)),
        may_edit=strategy_versions.acts_of(here, version).edit,
        pasted=form.get("pasted", ""),
        note=form.get("note", ""),
        told="" if problem is None or wrong else problem.text,
        wrong=tuple(wrong[:MOST_WRONG]),
        more=max(0, len(wrong) - MOST_WRONG),
    )
