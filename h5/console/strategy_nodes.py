"""A calculation of the flow changed in place: rows “name = formula” in Chinese, with what each comes to (issue 3 §8).

As with a table's row, the form is sent to `check` while one types, which stores nothing and says beside each row what
the checks find; a save is a new version of the draft (`strategy_edits`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import calculations, inside
from backend.domains.strategies.calculations import Row, RowsWrong
from backend.domains.strategies.model import Document, UnionContent, Version
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_carried, strategy_edits, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_carried import Brought, Carried
from h5.console.strategy_edits import InPlace, Looked, Problem

SHOW = "console/strategies/node.html"
EMPTY = 2  # rows offered for new names
FIELDS = (
    "node", "act", "note", *(f"{part}_{n}" for part in ("id", "name", "value") for n in range(calculations.MOST)),
)  # fmt: skip


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the form; `gives` what it comes to, `wrong` what is not right about it."""

    number: int
    row: Row
    gives: str = ""
    name_wrong: str = ""
    wrong: tuple[str, ...] = ()


class NodePage(msgspec.Struct, frozen=True, kw_only=True):
    """`labels` are what a row may use. `checked`: this content was looked at; `others` are findings elsewhere."""

    version: Version
    node: str
    node_name: str
    entries: tuple[Entry, ...]
    labels: tuple[str, ...]
    may_edit: bool
    note: str = ""
    told: str = ""
    checked: bool = False
    wrong: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    carried: Carried | None = None


@get(f"{HOME}/{{version_id:str}}/node", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here, node = staff.here(request), request.query_params.get("node", "")
    return await strategy_edits.shown(here, version_id, EDITOR, {"node": node})


@post(f"{HOME}/{{version_id:str}}/node", opt=staff.only(*WRITERS), fields=FIELDS)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    return await strategy_edits.saved_in_place(here, version_id, EDITOR, form)


@post(f"{HOME}/{{version_id:str}}/node/check", opt=staff.only(*WRITERS), fields=FIELDS)
async def check(request: Request, version_id: FromPath[str]) -> Response:
    """What the checks say of the rows as they stand in the form; nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    return await strategy_edits.checked(here, version_id, EDITOR, {**form, "act": "check"})


def _node(document: Document, number: str) -> Mapping[str, Any] | None:
    """The calculation a form is about, the first where it names none; None: the flow has no such one."""
    held = calculations.nodes_of(document)
    return next((each for each in held if each["id"] == number or not number), None)


def _rows(form: dict[str, str]) -> list[Row]:
    """The rows of a form without the empty ones at its end; one in between keeps its place, for its sentence."""
    given = _given(form)
    last = max((n for n, each in enumerate(given, 1) if each.name or each.text), default=0)
    return given[:last]


def _given(form: dict[str, str]) -> list[Row]:
    return [
        Row(*(form.get(f"{part}_{n}", "") for part in ("id", "name", "value")))
        for n in range(calculations.MOST)
    ]


async def _changed(_tx: Tx, _version: Version, held: UnionContent, form: dict[str, str]) -> UnionContent:
    """Raises `RowsWrong`."""
    node = _node(held.document, form.get("node", ""))
    if node is None:
        raise Invalid(fields={"note": NONE})
    document = calculations.with_rows(held.document, node["id"], _rows(form))
    return UnionContent(document=document, openings=held.openings)


async def _view(
    here: Here, version_id: str, form: dict[str, str], problem: Problem | None
) -> NodePage | None:
    """None: a county's overlay, or a flow without calculations."""
    async with here.context.db.read(here.actor) as tx:
        version = await inside.opened(tx, version_id)
    if not isinstance(version.content, UnionContent):
        return None
    node = _node(version.content.document, form.get("node", ""))
    if node is None:
        return None
    known = calculations.words(version.content.document, facts.catalogue())
    own = {row["key"] for row in node["content"]["expressions"]}
    rows = _rows(form) if "act" in form else calculations.rows_of(node, known)
    return NodePage(
        version=version,
        node=node["id"],
        node_name=node["name"],
        entries=_entries(rows, node, known, problem.fields if isinstance(problem, RowsWrong) else {}),
        labels=tuple(f.label for f in known.facts.values() if f.kind != "date" and f.name not in own),
        may_edit=strategy_versions.acts_of(here, version).edit,
        note=form.get("note", ""),
        told=strategy_edits.told(problem),
    )


def _entries(
    rows: list[Row], node: Mapping[str, Any], known: Catalogue, wrong: dict[str, str]
) -> tuple[Entry, ...]:
    keys = {each["id"]: each["key"] for each in node["content"]["expressions"]}
    empty = [Row("", "", "")] * max(0, min(EMPTY, calculations.MOST - len(rows)))
    return tuple(
        Entry(
            number=n,
            row=row,
            gives=calculations.gives(known[keys[row.id]]) if row.id in keys else "",
            name_wrong=wrong.get(f"name_{n}", ""),
            wrong=(wrong[f"value_{n}"],) if f"value_{n}" in wrong else (),
        )
        for n, row in enumerate([*rows, *empty])
    )


def _seen(page: NodePage, looked: Looked) -> NodePage:
    """With what the checks say at each row, and what each row comes to now."""
    assert isinstance(looked.content, UnionContent)
    known = calculations.words(looked.content.document, facts.catalogue())
    node = _node(looked.content.document, page.node)
    assert node is not None
    at_rows: dict[str, tuple[str, ...]] = {}
    of_node, others = [], []
    for each in looked.findings:
        if each.node != page.node:
            others.append(f"{each.place}：{each.told}")
        elif each.row:
            at_rows[each.row] = (*at_rows.get(each.row, ()), each.told)
        else:
            of_node.append(each.told)
    rows = iter(node["content"]["expressions"])
    entries = []
    for entry in page.entries:
        row = next(rows, None) if entry.row.name or entry.row.text else None
        gives = calculations.gives(known[row["key"]]) if row else ""
        said = at_rows.get(row["id"], ()) if row else ()
        entries.append(msgspec.structs.replace(entry, gives=gives, wrong=said))
    return msgspec.structs.replace(page, entries=tuple(entries), wrong=tuple(of_node), others=tuple(others))


def _onto(opened: Version, newest: Version, form: dict[str, str]) -> Brought | None:
    """Row by row, each by its id. One that was changed here and taken away there comes again as a new one."""
    held, now = (_rows_in(each, form.get("node", "")) for each in (opened, newest))
    if held is None or now is None:
        return None
    typed, made, both = _given(form), list[Row](), list[str]()
    mine = {each.id: each for each in typed if each.id}
    for number, row in now.items():
        sides = [_parts(each.get(number, row)) for each in (held, mine, now)]
        parts, changed = strategy_carried.together(*sides)
        if parts["name"] or parts["text"]:
            made.append(Row(number, parts["name"], parts["text"]))
        both += [row.name] if changed else []
    again = [each for each in mine.values() if each.id not in now and each != held.get(each.id)]
    fresh = [each for each in (*again, *(e for e in typed if not e.id)) if each.name or each.text]
    made += [Row("", each.name, each.text) for each in fresh]
    rows = {
        f"{part}_{n}": text
        for n, row in enumerate(made)
        for part, text in (("id", row.id), ("name", row.name), ("value", row.text))
    }
    kept = {name: form.get(name, "") for name in ("node", "act", "note")}
    return Brought({**kept, **rows}, tuple(both), tuple(each.name for each in made[calculations.MOST :]))


def _rows_in(version: Version, number: str) -> dict[str, Row] | None:
    """The rows of the calculation a form is about, by their ids; None: there is no such one."""
    if not isinstance(version.content, UnionContent):
        return None
    node = _node(version.content.document, number)
    known = calculations.words(version.content.document, facts.catalogue())
    return None if node is None else {each.id: each for each in calculations.rows_of(node, known)}


def _parts(row: Row) -> dict[str, str]:
    return {"name": row.name, "text": row.text}


NONE = "这张图里没有计算节点，先在“排流程图”里加一个"
EDITOR = InPlace(
    template=SHOW,
    view=_view,
    county="县行的版本没有自己的流程图",
    change=_changed,
    otherwise="改了计算",
    seen=_seen,
    onto=_onto,
    at_fields=(RowsWrong,),
)
