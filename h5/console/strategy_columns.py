"""改列: the columns of a rule table changed in place (issue 3 §8): one more condition, another order, one taken away.

Until 存成草稿 nothing is stored: the order stands in the form, and each button sends the form to `check`, which says
what the checks find of it. Whoever leaves without saving has changed nothing.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import arranging, calculations, inside, overlays, shaping
from backend.domains.strategies.model import UnionContent, Version
from backend.domains.strategies.shaping import CONDITION, RESULT, ColumnsWrong, Place
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_carried, strategy_edits, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_carried import Brought, Carried
from h5.console.strategy_edits import InPlace, Looked, Problem

SHOW = "console/strategies/columns.html"
FIELDS = ("table", "act", "fact", "result", "note", *(f"col_{n}" for n in range(shaping.MOST)))
_MOVE = re.compile(r"(up|down|gone):(\d{1,2})", re.ASCII)
_STEPS = {"up": -1, "down": 1}


class ColumnsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`places` are the columns as they would stand, `gone` those taken away, with the filled cells that go along.
    `checked`: this order was looked at; `unfilled` columns no row says anything in yet, `wrong` of this table, `others`
    of the rest, `failed` scenarios."""

    version: Version
    table: str
    table_name: str
    places: tuple[Place, ...]
    gone: tuple[Place, ...]
    labels: tuple[str, ...]
    lacking: tuple[tuple[str, str], ...]
    may_edit: bool
    changed: bool
    note: str = ""
    told: str = ""
    checked: bool = False
    unfilled: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    carried: Carried | None = None


@get(f"{HOME}/{{version_id:str}}/columns", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here, table = staff.here(request), request.query_params.get("table", "")
    return await strategy_edits.shown(here, version_id, EDITOR, {"table": table})


@post(f"{HOME}/{{version_id:str}}/columns", opt=staff.only(*WRITERS), fields=FIELDS)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    """The columns as the form has them: a new version of the draft."""
    here, form = staff.here(request), await forms.texts(request)
    return await strategy_edits.saved_in_place(here, version_id, EDITOR, form)


@post(f"{HOME}/{{version_id:str}}/columns/check", opt=staff.only(*WRITERS), fields=FIELDS)
async def check(request: Request, version_id: FromPath[str]) -> Response:
    """One step in the form (a column further, away, one more), and what the checks say then; nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.read(here.actor) as tx:
            version = await inside.opened(tx, version_id)
        order, own = _stepped(version, form), _own(version, form)
    except (Invalid, Conflict) as problem:
        return await strategy_edits.refused(here, version_id, EDITOR, form, problem)
    form = {**form, **_fields(order)}
    return await strategy_edits.checked(here, version_id, EDITOR, form, changed=order != own)


def _fields(order: Sequence[str]) -> dict[str, str]:
    """The form's fields of an order; those behind it are empty."""
    return {f"col_{n}": order[n] if n < len(order) else "" for n in range(shaping.MOST)}


def _order(table: dict[str, Any], form: dict[str, str]) -> tuple[str, ...]:
    """The order in the form; of a form without any, that of the table."""
    given = tuple(form[name] for n in range(shaping.MOST) if form.get(name := f"col_{n}"))
    return given or shaping.order_of(table)


def _table(content: UnionContent, number: str) -> dict[str, Any]:
    """The table a form is about, the first where it names none. Raises `ColumnsWrong` for one that is not there."""
    held = overlays.tables(content.document)
    found: dict[str, Any] | None = held.get(number) if number else next(iter(held.values()), None)
    if found is None:
        raise ColumnsWrong(why="这一版里没有这张表，刷新页面再改")
    return found


def _stepped(version: Version, form: dict[str, str]) -> tuple[str, ...]:
    """The order after the button. Raises `Invalid`."""
    if not isinstance(version.content, UnionContent):
        raise ColumnsWrong(why=COUNTY)
    table, act = _table(version.content, form.get("table", ""))["content"], form.get("act", "")
    order, known = _order(table, form), _words(version.content)
    places = shaping.places(version.stage, table, order, known)
    if act == "add" or (act == "enter" and form.get("fact")):
        token = CONDITION + _named(version, known, form.get("fact", ""))
        return shaping.with_column(places, token, condition=True)
    if act == "result":
        return shaping.with_column(places, RESULT + form.get("result", ""), condition=False)
    if act.startswith("back:"):
        return _back(table, places, act.removeprefix("back:"))
    if act in ("enter", "check"):
        return order
    move = _MOVE.fullmatch(act)
    if move is None or int(move[2]) >= len(places):
        raise ColumnsWrong(why="请点一个按钮")
    at = int(move[2])
    if move[1] in _STEPS:
        return shaping.moved(places, at, _STEPS[move[1]])
    return tuple(each.token for n, each in enumerate(places) if n != at)


def _back(table: dict[str, Any], places: list[Place], column: str) -> tuple[str, ...]:
    """The order with a column that was taken away in the form."""
    conditions = [each["id"] for each in table["inputs"]]
    return shaping.with_column(places, column, condition=column in conditions)


def _words(content: UnionContent) -> Catalogue:
    """The catalogue with the names the flow defines itself."""
    return calculations.words(content.document, facts.catalogue())


def _named(version: Version, known: Catalogue, label: str) -> str:
    """The fact or name of the flow a person named. Raises `ColumnsWrong`."""
    offered = shaping.addable(version.stage, known)
    name = next((each.name for each in offered if each.label == label.strip()), None)
    if name is None:
        said = f"这个环节没有叫“{label[:20]}”的数据项可用" if label else "请写要看哪个数据项"
        raise ColumnsWrong(why=said)
    return name


def _own(version: Version, form: dict[str, str]) -> tuple[str, ...]:
    """The order the table has."""
    assert isinstance(version.content, UnionContent)
    return shaping.order_of(_table(version.content, form.get("table", ""))["content"])


async def _shaped(_tx: Tx, version: Version, held: UnionContent, form: dict[str, str]) -> UnionContent:
    """Raises `ColumnsWrong`."""
    node = _table(held, form.get("table", ""))
    order = _order(node["content"], form)
    if order == shaping.order_of(node["content"]):
        raise ColumnsWrong(why="列没有变，不用存")
    document = shaping.shaped(version.stage, held.document, node["id"], order, _words(held))
    return UnionContent(document=document, openings=arranging.without_gone(held.openings, document))


async def _view(
    here: Here, version_id: str, form: dict[str, str], problem: Problem | None
) -> ColumnsPage | None:
    """None: a county's overlay, whose columns are head office's."""
    async with here.context.db.read(here.actor) as tx:
        version = await inside.opened(tx, version_id)
    if not isinstance(version.content, UnionContent):
        return None
    node, known = _table(version.content, form.get("table", "")), _words(version.content)
    own, stage = shaping.order_of(node["content"]), version.stage
    order = _order(node["content"], form)
    try:
        places = shaping.places(stage, node["content"], order, known)
    except ColumnsWrong as stale:
        order, problem = own, problem or stale
        places = shaping.places(stage, node["content"], own, known)
    gone = [token for token in own if token not in order]
    return ColumnsPage(
        version=version,
        table=node["id"],
        table_name=node["name"],
        places=tuple(places),
        gone=tuple(shaping.places(stage, node["content"], gone, known)),
        labels=tuple(each.label for each in shaping.addable(stage, known)),
        lacking=tuple(shaping.lacking(stage, node["content"], order)),
        may_edit=strategy_versions.acts_of(here, version).edit,
        changed=order != own,
        note=form.get("note", ""),
        told=strategy_edits.told(problem),
    )


def _seen(page: ColumnsPage, looked: Looked) -> ColumnsPage:
    """With what the checks say of the columns as they stand."""
    unused = {f"{each.label} 声明了却没有用到": each.label for each in page.places if not each.filled}
    said = [
        (each.node == page.table and each.blocks, f"{each.place}：{each.told}")
        for each in looked.findings
        if each.sentence not in unused
    ]
    return msgspec.structs.replace(
        page,
        unfilled=tuple(unused[each.sentence] for each in looked.findings if each.sentence in unused),
        wrong=tuple(sentence for mine, sentence in said if mine),
        others=tuple(sentence for mine, sentence in said if not mine),
    )


def _onto(opened: Version, newest: Version, form: dict[str, str]) -> Brought | None:
    """The order of the newest with what was added, moved and taken away here. A column that a colleague put on the same
    fact is the one wanted."""
    if not isinstance(opened.content, UnionContent) or not isinstance(newest.content, UnionContent):
        return None
    try:
        held = _table(opened.content, form.get("table", ""))
        now = _table(newest.content, held["id"])
    except ColumnsWrong:
        return None
    own, latest = shaping.order_of(held["content"]), shaping.order_of(now["content"])
    typed, known, words = _order(held["content"], form), _words(newest.content), _words(opened.content)
    there = {
        CONDITION + each["field"]: each["id"] for each in now["content"]["inputs"] if each["id"] not in own
    }
    there |= {
        RESULT + each["field"]: each["id"] for each in now["content"]["outputs"] if each["id"] not in own
    }
    lost = [each for each in typed if each.startswith(CONDITION) and each[1:] not in known]
    wanted = [there.get(each, each) for each in typed if each not in lost]
    made, moved = strategy_carried.order(own, wanted, latest)
    results = {each["id"] for each in now["content"]["outputs"]}
    made.sort(key=lambda each: each in results or each.startswith(RESULT))
    gone = [each for each in own if each not in typed and _cells(held, each) != _cells(now, each)]
    said = [each.label for each in shaping.places(opened.stage, held["content"], gone, words)]
    return Brought(
        {**form, **_fields(made), "table": now["id"]},
        (*(["列的先后"] if moved else []), *said),
        tuple(words[each[1:]].label for each in lost if each[1:] in words),
    )


def _cells(node: dict[str, Any], column: str) -> list[str] | None:
    """What the rows say in a column; None: it has no such column."""
    if column not in shaping.order_of(node["content"]):
        return None
    return [rule.get(column, "") for rule in node["content"]["rules"]]


COUNTY = "列由省联社定，县行的版本里改不了"
EDITOR = InPlace(
    template=SHOW, view=_view, county=COUNTY, change=_shaped, otherwise="改了列", seen=_seen, onto=_onto
)
