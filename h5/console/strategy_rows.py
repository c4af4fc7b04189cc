"""Editing in place: one row of a table in Chinese (A3-33, N4).

Every save is a new version of the draft with its note. While a person types the same form is sent to `check`, which
stores nothing and says beside each cell what the checks find.
"""

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.core.plain_text import plain
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision.contracts import FIELDS
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import cells, computing, inside, overlays
from backend.domains.strategies import service as strategies
from backend.domains.strategies.cells import CellUnreadable, Column
from backend.domains.strategies.inside import Written
from backend.domains.strategies.model import (
    Content,
    ContentInvalid,
    Finding,
    NotYourStrategy,
    StrategyMissing,
    UnionContent,
    Version,
)
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_edits, strategy_tables, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_tables import NEW
from h5.console.strategy_versions import code_of, reader

SHOW = "console/strategies/row.html"
MOST_COLUMNS = 60
CELLS = tuple(f"cell_{n}" for n in range(MOST_COLUMNS))


class Entry(msgspec.Struct, frozen=True):
    """One field of the form. `options` (text, chosen) for a list to pick from; `wrong` what is not right about it."""

    name: str
    column: Column
    text: str
    options: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def long(self) -> bool:
        """A sentence, which wants the whole width."""
        return self.column.kind == "text" and self.column.label != FIELDS["code"]


class RowPage(msgspec.Struct, frozen=True, kw_only=True):
    """`checked`: this content was looked at; `fine` without a finding; `others` are findings of other places;
    `newest` the draft that took this one's place while somebody wrote."""

    version: Version
    table: str
    table_name: str
    row: str
    number: int
    conditions: tuple[Entry, ...]
    results: tuple[Entry, ...]
    may_edit: bool
    note: str = ""
    told: str = ""
    checked: bool = False
    wrong: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    newest: Version | None = None


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a version, as it is stored; `at` its place among the layer's rows, None for a new one."""

    version: Version
    floor: UnionContent
    node: Any
    known: Catalogue
    columns: list[Column]
    rows: list[dict[str, str]]
    at: int | None

    @property
    def row(self) -> dict[str, str]:
        return {} if self.at is None else self.rows[self.at]


@get(f"{HOME}/{{version_id:str}}/row", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here, asked = staff.here(request), dict(request.query_params)
    async with here.context.db.read(await reader(here, version_id)) as tx:
        spot = await _spot(tx, version_id, asked.get("table", ""), asked.get("row", NEW))
    return here.show(SHOW, _page(here, spot))


@post(
    f"{HOME}/{{version_id:str}}/row",
    opt=staff.only(*WRITERS),
    fields=("table", "row", "act", "note", *CELLS),
)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    """Save, copy, move or remove a row: a new version of the draft."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            spot = await _spot(tx, version_id, form.get("table", ""), form.get("row", NEW))
            content = await strategy_edits.written(tx, spot.version, _acted(spot, form))
            note = form.get("note", "") or _NOTES[form["act"]].format(table=spot.node["name"])
            made = await inside.save(tx, spot.version, content, note=note[:200])
    except ContentInvalid as problem:
        return here.show(SHOW, await _again(here, version_id, form, problem.findings), 422)
    except (Invalid, Conflict, NotPermitted) as problem:
        return here.show(SHOW, await _again(here, version_id, form, [], problem), code_of(problem))
    return here.go(f"{HOME}/{made.address}?saved=1#t-{strategy_tables.anchor(spot.node['id'])}")


@post(
    f"{HOME}/{{version_id:str}}/row/check",
    opt=staff.only(*WRITERS),
    fields=("table", "row", "act", "note", *CELLS),
)
async def check(request: Request, version_id: FromPath[str]) -> Response:
    """What the checks say of the row as it stands in the form; nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    async with here.context.db.read(here.actor) as tx:
        spot = await _spot(tx, version_id, form.get("table", ""), form.get("row", NEW))
    return here.show(SHOW, await _checked(here, spot, form))


_NOTES = {
    "save": "改了{table}的一行",
    "copy": "复制了{table}的一行",
    "up": "上移了{table}的一行",
    "down": "下移了{table}的一行",
    "remove": "删了{table}的一行",
}


async def _spot(tx: Tx, version_id: str, table: str, row: str) -> Spot:
    """Raises `StrategyMissing`. A table or row nobody knows is the first table, a new row."""
    version = await inside.opened(tx, version_id)
    floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
    node = strategy_tables.node_of(version.content, floor, table)
    document = version.content.document if isinstance(version.content, UnionContent) else floor.document
    if node is None:
        node = next(iter(overlays.tables(document).values()), None)
    if node is None:
        raise StrategyMissing()
    rows = strategy_tables.rules(version.content, node["id"])
    known = computing.words(document, node["id"], facts.catalogue())
    return Spot(
        version=version,
        floor=floor,
        node=node,
        known=known,
        columns=cells.columns(version.stage, node["content"], known)[:MOST_COLUMNS],
        rows=rows,
        at=next((i for i, each in enumerate(rows) if each.get("_id") == row), None),
    )


def _acted(spot: Spot, form: dict[str, str]) -> Content:
    """The content after the button. Raises `Invalid`, `NotYourStrategy`, `CellUnreadable`."""
    act, at, rows = form.get("act", ""), spot.at, [dict(each) for each in spot.rows]
    if act not in _NOTES or (at is None and act != "save"):
        raise Invalid(fields={"act": "请先点一行，再点按钮"})
    if not strategy_tables.is_open(spot.version.content, spot.floor, spot.node["id"]):
        raise NotYourStrategy()
    if act == "save":
        written = _written(spot, form)
        rows = [*rows, written] if at is None else [*rows[:at], written, *rows[at + 1 :]]
    elif act == "copy" and at is not None:
        rows.insert(at + 1, {**rows[at], "_id": free_id(spot.node["id"], rows)})
    elif act == "remove" and at is not None:
        del rows[at]
    elif at is not None:
        other = min(max(at + (-1 if act == "up" else 1), 0), len(rows) - 1)
        rows[at], rows[other] = rows[other], rows[at]
    return strategy_tables.with_rules(spot.version.content, spot.node["id"], rows)


def free_id(table: str, rows: list[dict[str, str]]) -> str:
    """An id no row of the table has."""
    taken, name = {each.get("_id") for each in rows}, strategy_tables.anchor(table)
    return next(made for n in range(1, 10_000) if (made := f"{name[:40]}-n{n}") not in taken)


def _written(spot: Spot, form: dict[str, str]) -> dict[str, str]:
    """The row as the form has it; a cell nobody touched keeps its very bytes. Raises `CellsWrong`."""
    row = {"_id": free_id(spot.node["id"], spot.rows), **spot.row}
    wrong: dict[str, str] = {}
    for number, column in enumerate(spot.columns):
        given = form.get(f"cell_{number}", "")
        try:
            row[column.id] = merged(spot, column, given)
        except CellUnreadable as cause:
            wrong[column.id] = cause.text
    if wrong:
        raise CellsWrong(fields=wrong)
    return row


def merged(spot: Spot, column: Column, given: str) -> str:
    """The cell after a person's text: what was held when the text still says the same. Raises `CellUnreadable`."""
    held = spot.row.get(column.id, "")
    if spot.at is not None and plain(cells.shown(held, column, spot.known)).strip() == given.strip():
        return held
    return cells.read(" ".join(given.splitlines()), column, spot.known)


class CellsWrong(Invalid):
    """`fields` by column id."""

    code = "strategy_cells_wrong"
    message = "有几格看不懂，旁边写了原因"


def _page(
    here: Here,
    spot: Spot,
    form: dict[str, str] | None = None,
    at_cells: dict[str, tuple[str, ...]] | None = None,
    **more: Any,
) -> RowPage:
    entries = [
        _entry(spot, number, column, form, (at_cells or {}).get(column.id, ()))
        for number, column in enumerate(spot.columns)
    ]
    acts = strategy_versions.acts_of(here, spot.version)
    return RowPage(
        version=spot.version,
        table=spot.node["id"],
        table_name=spot.node["name"],
        row=NEW if spot.at is None else spot.row["_id"],
        number=len(spot.rows) + 1 if spot.at is None else spot.at + 1,
        conditions=tuple(e for e in entries if e.column.kind == "condition"),
        results=tuple(e for e in entries if e.column.kind != "condition"),
        may_edit=acts.edit and strategy_tables.is_open(spot.version.content, spot.floor, spot.node["id"]),
        note=(form or {}).get("note", ""),
        **more,
    )


def _entry(
    spot: Spot, number: int, column: Column, form: dict[str, str] | None, wrong: tuple[str, ...]
) -> Entry:
    held = spot.row.get(column.id, "")
    text = cells.shown(held, column, spot.known) if held else ""
    if form is not None:
        text = form.get(f"cell_{number}", "")
    options: tuple[str, ...] = ()
    if column.kind == "choice":
        options = ("", *(said for _, said in column.choices))
    elif column.fact is not None and column.fact.kind == "bool":
        options = ("", "是", "否")
    return Entry(f"cell_{number}", column, text, options if text in options else (), wrong)


async def _again(
    here: Here,
    version_id: str,
    form: dict[str, str],
    findings: list[Finding],
    problem: Invalid | Conflict | NotPermitted | None = None,
) -> RowPage:
    async with here.context.db.read(here.actor) as tx:
        spot = await _spot(tx, version_id, form.get("table", ""), form.get("row", NEW))
        newest = await strategy_versions.newest_draft(tx, spot.version)
    fields = problem.fields if isinstance(problem, Invalid) else {}
    wrong: dict[str, tuple[str, ...]] = {column: (sentence,) for column, sentence in fields.items()}
    told = fields.get("act") or (problem.text if problem else "这一版还不能保存")
    others = tuple(f"{each.place}：{each.told}" for each in findings)
    return _page(here, spot, form, wrong, told=told, others=others, newest=newest)


async def _checked(here: Here, spot: Spot, form: dict[str, str]) -> RowPage:
    async def made(tx: Tx) -> Written:
        return await strategy_edits.written(tx, spot.version, _acted(spot, {**form, "act": "save"}))

    try:
        looked = await strategy_edits.looked(here, spot.version, made)
    except CellsWrong as problem:
        wrong: dict[str, tuple[str, ...]] = {
            column: (sentence,) for column, sentence in problem.fields.items()
        }
        return _page(here, spot, form, wrong, checked=True)
    except (Invalid, NotPermitted) as problem:
        return _page(here, spot, form, told=problem.text)
    table = spot.node["id"]
    row = spot.row.get("_id") or free_id(table, spot.rows)
    at_cells: dict[str, tuple[str, ...]] = {}
    of_row, others = [], []
    for each in looked.findings:
        if (each.node, each.row) != (table, row):
            others.append(f"{each.place}：{each.told}")
        elif each.column:
            at_cells[each.column] = (*at_cells.get(each.column, ()), each.told)
        else:
            of_row.append(each.told)
    return _page(
        here,
        spot,
        form,
        at_cells,
        checked=True,
        wrong=tuple(of_row),
        others=tuple(others),
        failed=looked.failed,
    )
