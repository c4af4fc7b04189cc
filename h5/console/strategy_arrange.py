"""排流程图: nodes of a draft moved, added and taken away, lines drawn and cut, on the drawing or in the list below it
(issue 3 §8). The list is the form; the drawing (`static/js/arrange.js`) only sets its fields, so both do the same and
a phone or a browser without scripts uses the list. What is saved passes the same checks as a flow from a file.
"""

import re
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.decision import facts, graph
from backend.domains.decision import service as decisions
from backend.domains.decision.facts import Catalogue
from backend.domains.decision.lint import MAX_DEPTH
from backend.domains.models import service as models
from backend.domains.strategies import arranging, calculations, checks, enclosing, inside, nesting, scored
from backend.domains.strategies import service as strategies
from backend.domains.strategies.arranging import Arrangement, ArrangementWrong, Source
from backend.domains.strategies.model import INSIDE, UNION, Document, UnionContent, Version
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_edits, strategy_files, strategy_graph, strategy_models, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_edits import Editor, Problem
from h5.console.strategy_graph import Drawing
from h5.console.strategy_models import Told

SHOW = "console/strategies/arrange.html"
MOST_NODES, MOST_SOURCES = 32, 40
_WHOLE = re.compile(r"-?\d{1,6}", re.ASCII)
FIELDS = (
    *(f"{part}_{n}" for part in ("x", "y", "gone") for n in range(MOST_NODES)),
    *(f"line_{s}_{t}" for s in range(MOST_SOURCES) for t in range(MOST_NODES)),
    "act",
    "note",
)
ADDING = (
    "kind", "name", "columns", "rows", "before", "fact", "branches", "flow", "model", "result", "note",
    *(f"take_{n}" for n in range(MOST_NODES)),
)  # fmt: skip
EDITABLE = {graph.EXPRESSION: "node", graph.CUSTOM: "score"}
"""Nodes whose inside is changed on a page of their own, with its address; a table's rows and columns are on the
version's."""
ACTS = {"save": "重排了流程图", "tidy": "自动排齐了流程图"}
NEW, TAKEN = "new", "taken"
BEGINNINGS = {
    NEW: "新建：里面先放一张规则表，用上面写的条件列",
    TAKEN: "新建：把下面勾的规则表搬进去",
}
"""Sub-flows of the draft's own, beside the approved versions."""


class Node(msgspec.Struct, frozen=True):
    """`kind` in words; `may_go`: not the input or output; `inside`: where its content is changed, behind the version's
    address, '' for none; `table`: it is a rule table."""

    id: str
    name: str
    kind: str
    x: int
    y: int
    may_go: bool
    inside: str
    table: bool


class Way(msgspec.Struct, frozen=True):
    """Where lines may begin, with (target's place in the list, its name, whether there is one)."""

    source: Source
    targets: tuple[tuple[int, str, bool], ...]


class ArrangePage(msgspec.Struct, frozen=True, kw_only=True):
    """`said` is what the checks find of the flow as it is saved; `too_large` to be arranged here."""

    version: Version
    drawing: Drawing
    nodes: tuple[Node, ...]
    ways: tuple[Way, ...]
    said: tuple[str, ...]
    may_edit: bool
    too_large: bool
    flows: tuple[tuple[str, str], ...] = ()
    models: tuple[Told, ...] = ()
    labels: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    kinds: dict[str, str] = msgspec.field(default_factory=arranging.KINDS.copy)
    told: str = ""
    form: dict[str, str] = {}


@get(f"{HOME}/{{version_id:str}}/arrange", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    return await strategy_edits.shown(staff.here(request), version_id, EDITOR)


@post(
    f"{HOME}/{{version_id:str}}/arrange",
    opt=staff.only(*WRITERS),
    fields=FIELDS,
    request_max_body_size=4 * forms.SMALL_BODY,
)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    """The whole drawing as the form has it: positions, lines, and what is taken out."""
    here, form = staff.here(request), await forms.texts(request)
    act = form.get("act", "")

    async def change(_tx: Tx, _version: Version, held: UnionContent) -> Document:
        if act not in ACTS:
            raise Invalid(fields={"act": "请点一个按钮"})
        return arranging.tidied(held.document) if act == "tidy" else _arranged(held.document, form)

    return await _saved(here, version_id, form, ACTS.get(act, ""), change)


@post(f"{HOME}/{{version_id:str}}/arrange/add", opt=staff.only(*WRITERS), fields=ADDING)
async def add(request: Request, version_id: FromPath[str]) -> Response:
    """One node more: a rule table, a calculation, a scorecard or model, a switch or a sub-flow."""
    here, form = staff.here(request), await forms.texts(request)
    said = arranging.KINDS.get(form.get("kind", ""), "节点")

    async def change(tx: Tx, version: Version, held: UnionContent) -> Document:
        return await _added(tx, version, held, form)

    return await _saved(here, version_id, form, f"加了一个{said}", change)


async def _saved(here: Here, version_id: str, form: dict[str, str], otherwise: str, change: Any) -> Response:
    async def changed(tx: Tx, version: Version, held: UnionContent) -> UnionContent:
        document = await change(tx, version, held)
        openings = arranging.without_gone(held.openings, document)
        content = UnionContent(document=document, openings=openings)
        strategy_files.require_drawable(version, content)
        return content

    return await strategy_edits.saved(here, version_id, EDITOR, form, otherwise, changed)


def _arranged(document: Document, form: dict[str, str]) -> Document:
    nodes, sources = document["nodes"], arranging.sources(document)
    spots = {}
    for n, node in enumerate(nodes[:MOST_NODES]):
        x, y = (form.get(f"{axis}_{n}", "") for axis in ("x", "y"))
        if not all(_WHOLE.fullmatch(each) for each in (x, y)):
            raise ArrangementWrong(why=f"“{node['name']}”的位置要写整数")
        spots[node["id"]] = (int(x), int(y))
    return arranging.arranged(
        document,
        Arrangement(
            spots=spots,
            gone=frozenset(
                n["id"] for i, n in enumerate(nodes[:MOST_NODES]) if form.get(f"gone_{i}") == "yes"
            ),
            lines=frozenset(
                (source.node, source.branch, node["id"])
                for s, source in enumerate(sources[:MOST_SOURCES])
                for t, node in enumerate(nodes[:MOST_NODES])
                if form.get(f"line_{s}_{t}") == "yes"
            ),
        ),
    )


async def _added(tx: Tx, version: Version, held: UnionContent, form: dict[str, str]) -> Document:
    """Raises `ArrangementWrong`, `RowsWrong`, `ScoreWrong`."""
    kind, name, document = form.get("kind", ""), form.get("name", ""), held.document
    known = calculations.words(document, facts.catalogue())
    if len(document["nodes"]) >= MOST_NODES:
        raise ArrangementWrong(why=f"这里最多排 {MOST_NODES} 个节点，再多请用文件导入")
    if kind == "decisionTableNode":
        return arranging.with_table(version.stage, document, name, _columns(form, known))
    if kind == "switchNode":
        fact = _fact(form.get("fact", ""), known)
        return arranging.with_switch(document, name, fact, _lines(form.get("branches", "")), known)
    if kind == "expressionNode":
        rows = calculations.lines_of(form.get("rows", ""))
        return _put(calculations.with_calculation(document, name, rows), form)
    if kind == "customNode":
        model = scored.chosen(await models.nameable(tx), form.get("model", ""))
        return _put(scored.with_score(document, name, form.get("result", ""), model), form)
    if kind == "decisionNode":
        return await _with_flow(tx, version, held, form)
    raise ArrangementWrong(why="请选要加哪一种节点")


async def _with_flow(tx: Tx, version: Version, held: UnionContent, form: dict[str, str]) -> Document:
    """With a sub-flow of the draft's own, or an approved version as one. Raises `ArrangementWrong`."""
    document, name, begun = held.document, form.get("name", ""), form.get("flow", "")
    if len(version.within) >= MAX_DEPTH:
        raise ArrangementWrong(why=f"子流程最多套 {MAX_DEPTH} 层")
    if begun == NEW:
        columns = _columns(form, facts.catalogue())
        made, inner = enclosing.with_new(version.stage, document, name, columns)
    elif begun == TAKEN:
        taken = {
            n["id"] for i, n in enumerate(document["nodes"][:MOST_NODES]) if form.get(f"take_{i}") == "yes"
        }
        made, inner = enclosing.with_tables(document, name, taken, held.openings)
    else:
        chosen = next((each for each in await _flows(tx, version) if each.id == begun), None)
        if chosen is None or not isinstance(chosen.content, UnionContent):
            raise ArrangementWrong(why="请选一条子流程")
        inner = chosen.content.document
        made = arranging.with_flow(document, name, chosen.document_hash, inner)
    await decisions.store(tx, version.stage, inner)
    return made


def _columns(form: dict[str, str], known: Catalogue) -> list[facts.Fact]:
    return [_fact(each, known) for each in _listed(form.get("columns", ""))]


def _put(document: Document, form: dict[str, str]) -> Document:
    """The new node, the last one, in front of the step that was chosen; not joined where none was."""
    before = form.get("before", "")
    return arranging.inserted(document, document["nodes"][-1]["id"], before) if before else document


def _fact(label: str, known: Catalogue) -> facts.Fact:
    fact = next((each for each in known.facts.values() if each.label == label.strip()), None)
    if fact is None:
        raise ArrangementWrong(why=f"没有叫“{label[:20]}”的数据项" if label else "请选数据项")
    return fact


def _listed(text: str) -> list[str]:
    """Labels a person separated with 、 or a new line."""
    return list(dict.fromkeys(each.strip() for each in text.replace("\n", "、").split("、") if each.strip()))


def _lines(text: str) -> list[str]:
    return [each.strip() for each in text.replace("；", "\n").splitlines() if each.strip()]


async def _flows(tx: Tx, version: Version) -> list[Version]:
    """What can be a sub-flow: approved documents of the union for this stage, of any product, but not its own."""
    held = [each for each in await strategies.in_use(tx) if each.institution_id == UNION]
    own = await strategies.history(tx, UNION, version.product_code, version.stage)
    held += [each for each in own if each.status == "retired"]
    return [
        each for each in held if each.stage is version.stage and each.document_hash != version.document_hash
    ]


async def _view(
    here: Here,
    version_id: str,
    form: dict[str, str],
    problem: Problem | None,
) -> ArrangePage | None:
    """None: a county's overlay, which has no flow of its own."""
    async with here.context.db.read(here.actor) as tx:
        version = await inside.opened(tx, version_id)
        if not isinstance(version.content, UnionContent):
            return None
        document = version.content.document
        said = await checks.document_findings(tx, version.stage, document)
        offered, models_ = await _flows(tx, version), await strategy_models.named(here, tx)
    try:
        sources = arranging.sources(document)
    except (LookupError, TypeError, AttributeError):  # a switch without branches: only looked at here
        sources = []
    known = calculations.words(document, facts.catalogue())
    too_large = not sources or len(document["nodes"]) > MOST_NODES or len(sources) > MOST_SOURCES
    return ArrangePage(
        version=version,
        drawing=strategy_graph.draw(document),
        nodes=tuple(_node(each) for each in document["nodes"]),
        ways=() if too_large else _ways(document, sources),
        said=tuple(
            calculations.plainly(f"{each.place}：{each.sentence}", known) for each in said if each.blocks
        ),
        may_edit=strategy_versions.acts_of(here, version).edit and not too_large,
        too_large=too_large,
        flows=(
            *BEGINNINGS.items(),
            *((each.id, f"照搬省联社批准过的：{each.label}（{each.status_label}）") for each in offered),
        ),
        models=models_,
        labels=tuple(each.label for each in known.facts.values() if each.kind != "date"),
        places=((arranging.ENTRY, "所有步骤前面"), *((n["id"], n["name"]) for n in _befores(document))),
        told=strategy_edits.told(problem),
        form=form,
    )


EDITOR = Editor(template=SHOW, view=_view, county="县行的版本没有自己的流程图", done="/arrange")


def _befores(document: Document) -> list[Any]:
    """Steps a calculation, a scorecard or a model can be put in front of."""
    return [each for each in arranging.targets(document) if each["type"] != graph.OUTPUT]


def _node(node: Any) -> Node:
    x, y = strategy_graph.spot(node)
    kind, number = strategy_graph.kind_of(node), node["id"]
    inside_of = ""
    if node["type"] in EDITABLE:
        inside_of = f"/{EDITABLE[node['type']]}?node={number}"
    elif nesting.key_of(node):
        inside_of = f"{INSIDE}{number}"
    table = node["type"] == graph.TABLE
    return Node(number, node["name"], kind, x, y, arranging.may_go(node), inside_of, table)


def _ways(document: Document, sources: list[Source]) -> tuple[Way, ...]:
    drawn = {(e["sourceId"], e.get("sourceHandle") or "", e["targetId"]) for e in document["edges"]}
    places = {node["id"]: n for n, node in enumerate(document["nodes"])}
    return tuple(
        Way(
            source,
            tuple(
                (places[t["id"]], t["name"], (source.node, source.branch, t["id"]) in drawn)
                for t in arranging.targets(document)
                if t["id"] != source.node
            ),
        )
        for source in sources
    )
