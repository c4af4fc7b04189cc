"""zen-engine behind our own gate: it sees only checked facts, and only a proven answer leaves it.

zen fails open (a null matches nothing, a broken cell is skipped, a cut graph returns nothing), so silence is
never taken for consent: into every collecting table the gate puts a witness row whose cells hold exactly the
domain of each column (`instrument.py`). Without its witness a table has not been evaluated on proper facts, and the
stage raises `Unproven`, on which the case is referred. The same holds for every branch a switch takes and every
value an expression, scorecard or model gives.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import zen

from backend.domains.decision import contracts, graph, instrument, lint
from backend.domains.decision.facts import Catalogue, Value
from backend.domains.decision.graph import Line
from backend.domains.decision.instrument import WITNESS, branch_key, instrumented, schema, value_key
from backend.domains.decision.lint import NOTHING, Library
from backend.domains.decision.model import Stage, Step, StrategyRefused, canonical
from backend.domains.decision.steps import Model

__all__ = ["CompiledStage", "Hit", "Unproven", "compile_stage", "evaluate", "instrumented", "run", "schema"]
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_contents: dict[str, zen.ZenDecisionContent] = {}
_models: dict[str, Model] = {}


def _load(key: str) -> zen.ZenDecisionContent:
    return _contents[key]


def _answer(request: Any) -> dict[str, Any]:
    """A scorecard or model node, in process. What it raises makes the stage unproven."""
    config = request.node["config"]
    given = request.input
    model = _models[config["model"]]
    scored = model.score({name: _whole(given[name]) for name in model.inputs}).score
    passed = {name: value for name, value in given.items() if name != "$nodes"}
    return {"output": {**passed, config["output"]: scored}}


_engine = zen.ZenEngine({"loader": _load, "customHandler": _answer})
# The loader returns compiled content: a loader returning text recompiles on every call, and
# `decision.evaluate` starts a runtime per call (findings: 324 and 175 µs against 64).


class Unproven(Exception):
    """The stage gave no answer that can be trusted. The text is a stable code for the trace."""


class Hit(msgspec.Struct, frozen=True):
    """A row that matched: its outputs, and the facts its conditions looked at. `table` of a sub-flow is
    node/table."""

    table: str
    row: str
    output: dict[str, int | str]
    facts: dict[str, Value]


class Node(msgspec.Struct, frozen=True):
    """A node as it runs: `names` are the values it gives with their ranges (None: true or false), `branches` the
    ways of a switch, `flow` the sub-flow."""

    id: str
    kind: str
    into: tuple[Line, ...]
    names: dict[str, tuple[int, int] | None] = {}
    branches: tuple[str, ...] = ()
    flow: "CompiledStage | None" = None


class CompiledStage(msgspec.Struct, frozen=True):
    """A document that passed its checks. `looks` are the facts whose columns the conditions of (table, row) are about,
    `leans` all that those conditions name.

    `plan` is empty where a document has only tables side by side; `content` is what the engine runs.
    """

    stage: Stage
    hash: str
    inputs: tuple[str, ...]
    tables: tuple[str, ...]
    looks: dict[tuple[str, str], tuple[str, ...]]
    leans: dict[tuple[str, str], tuple[str, ...]]
    content: str = ""
    plan: tuple[Node, ...] = ()


class Ran(msgspec.Struct, frozen=True):
    """What a stage gave: the rows that matched, and the way through the graph (branches, values), if it has any."""

    hits: list[Hit]
    way: list[Step]


def hash_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def compile_stage(
    stage: Stage, document: Any, catalogue: Catalogue, library: Library = NOTHING
) -> CompiledStage:
    """Check a document and make it ready to run. Raises `StrategyRefused` with every error."""
    reading = lint.read(stage, document, catalogue, library)
    errors = [str(finding) for finding in reading.findings if finding.severity == contracts.ERROR]
    if errors or reading.graph is None:
        raise StrategyRefused(errors or ["文件：结构不对，缺少节点、列或行"])
    return _compile(stage, document, catalogue, library, reading)


def _compile(
    stage: Stage, document: Any, catalogue: Catalogue, library: Library, reading: lint.Reading
) -> CompiledStage:
    lines = reading.graph
    assert lines is not None
    flows = {
        node: compile_stage(stage, library.flows[lines.nodes[node]["content"]["key"]], catalogue, library)
        for node in lines.order
        if lines.kind(node) == graph.FLOW
    }
    digest, known = hash_of(document), {**catalogue.facts, **reading.locals}
    # Sub-flows and models are named by their hashes, so the document's hash covers them.
    content = f"{digest}:{catalogue.hash}"
    keys = {node: flow.content for node, flow in flows.items()}
    if content not in _contents:
        try:
            text = json.dumps(instrumented(document, catalogue, known, keys))
            _contents[content] = zen.ZenDecisionContent(text)
        except Exception as cause:
            raise StrategyRefused(["文件：引擎读不懂这张流程图"]) from cause
    plain = all(lines.kind(node) in (graph.INPUT, graph.TABLE, graph.OUTPUT) for node in lines.order)
    nodes = [lines.nodes[node] for node in lines.order]
    for node in nodes:
        if node["type"] == graph.CUSTOM:
            model = library.models[node["content"]["config"]["model"]]
            _models[model.hash] = model
    found = [node for node in document["nodes"] if node["type"] == graph.TABLE]
    entry = next(node for node in nodes if node["type"] == graph.INPUT)
    return CompiledStage(
        stage=stage,
        hash=digest,
        inputs=tuple(sorted(lint.declared(entry))),
        tables=tuple(node["id"] for node in found),
        looks={
            (node["id"], rule["_id"]): _looked_at(node["content"], rule)
            for node in found
            for rule in node["content"]["rules"]
        },
        leans={
            (node["id"], rule["_id"]): _leant_on(node["content"], rule, lint.declared(entry))
            for node in found
            for rule in node["content"]["rules"]
        },
        content=content,
        plan=() if plain else tuple(_planned(node, lines, known, flows) for node in nodes),
    )


def _planned(
    node: Mapping[str, Any], lines: graph.Graph, known: Mapping[str, Any], flows: Mapping[str, CompiledStage]
) -> Node:
    number, content = node["id"], node.get("content") or {}
    names = instrument.given_names(node)
    return Node(
        id=number,
        kind=node["type"],
        into=lines.into[number],
        names={
            name: None if known[name].kind == "bool" else (known[name].low, known[name].high)
            for name in names
        },
        branches=tuple(each["id"] for each in content["statements"]) if node["type"] == graph.SWITCH else (),
        flow=flows.get(number),
    )


def evaluate(
    stage: CompiledStage, values: Mapping[str, Value], catalogue: Catalogue, *, partial: bool = False
) -> list[Hit]:
    """All rows that match, table by table. Raises `Unproven` rather than give half an answer.

    `partial`: a county's overlay, which only adds to a whole result and need not have every required part.
    """
    return run(stage, values, catalogue, partial=partial).hits


def run(
    stage: CompiledStage, values: Mapping[str, Value], catalogue: Catalogue, *, partial: bool = False
) -> Ran:
    """As `evaluate`, with the way the case took through the graph."""
    try:
        context = {name: values[name] for name in stage.inputs}
    except KeyError as missing:
        raise Unproven("fact_missing") from missing
    try:
        result = _engine.evaluate(stage.content or f"{stage.hash}:{catalogue.hash}", context)["result"]
    except Exception as cause:
        raise Unproven("engine_error") from cause
    ran = _read(stage, result, values)
    contract = contracts.CONTRACTS[stage.stage]
    if contract.hit_policy == "first" and len(ran.hits) != 1:
        raise Unproven("not_one_result")
    names = {hit.output.get(contract.key) for hit in ran.hits}
    if not partial and any(name not in names for name in contract.names):
        raise Unproven("part_missing")
    return ran


def _read(stage: CompiledStage, result: Any, values: Mapping[str, Value]) -> Ran:
    if not isinstance(result, dict):
        raise Unproven("no_witness")
    if stage.plan:
        return _walk(stage, result, values)
    hits: list[Hit] = []
    for table in stage.tables:
        hits += _rows(stage, table, result.get(table), values)
    return Ran(hits, [])


def _rows(stage: CompiledStage, table: str, rows: Any, values: Mapping[str, Value]) -> list[Hit]:
    """The rows of one table that had to be evaluated."""
    contract = contracts.CONTRACTS[stage.stage]
    if contract.hit_policy == "first":
        rows = [rows] if isinstance(rows, dict) else []
        proven = bool(rows)
    else:
        rows = rows if isinstance(rows, list) else []
        proven = any(row.get("_row") == WITNESS for row in rows)
    if not proven:
        raise Unproven("no_witness")
    return [_hit(stage, contract, table, row, values) for row in rows if row["_row"] != WITNESS]


def _walk(stage: CompiledStage, result: Mapping[str, Any], values: Mapping[str, Value]) -> Ran:
    """Follow the graph by what each node proved, and demand a result of exactly the nodes on the way."""
    hits: list[Hit] = []
    way: list[Step] = []
    seen = dict(values)
    taken: dict[str, str] = {}  # nodes on the way, with the branch taken
    for node in stage.plan:
        on = not node.into or any(taken.get(line.source) == line.handle for line in node.into)
        if node.kind == graph.SWITCH:
            branch = _branch(node, result, on=on)
            if on:
                taken[node.id] = branch
                way.append(Step(stage=stage.stage, event="branch", table=node.id, row=branch))
            continue
        if node.kind in (graph.TABLE, graph.FLOW) and not on and node.id in result:
            raise Unproven("unexpected_result")
        if not on:
            continue
        taken[node.id] = ""
        if node.names:
            given = _given(node, result.get(value_key(node.id)))
            seen |= given
            way.append(Step(stage=stage.stage, event="value", table=node.id, output=given))
        if node.kind == graph.TABLE:
            hits += _rows(stage, node.id, result.get(node.id), seen)
        elif node.flow is not None:
            inner = _read(node.flow, result.get(node.id), values)
            way.append(Step(stage=stage.stage, event="flow", table=node.id))
            way += [_inside(node.id, step) for step in inner.way]
            hits += [msgspec.structs.replace(hit, table=f"{node.id}/{hit.table}") for hit in inner.hits]
    return Ran(hits, way)


def _inside(flow: str, step: Step) -> Step:
    return msgspec.structs.replace(step, table=f"{flow}/{step.table}")


def _branch(node: Node, result: Mapping[str, Any], *, on: bool) -> str:
    """The one branch whose witness is there; none where the switch is not on the way."""
    taken = [each for at, each in enumerate(node.branches) if branch_key(node.id, at) in result]
    if len(taken) != on:
        raise Unproven("branch_unproven")
    return taken[0] if taken else ""


def _given(node: Node, found: Any) -> dict[str, Any]:
    """The values a node gives names to; each of its type and in its range."""
    given: dict[str, Any] = {}
    for name, within in node.names.items():
        value = _whole(found.get(name)) if isinstance(found, dict) else None
        proven = (
            type(value) is bool if within is None else type(value) is int and within[0] <= value <= within[1]
        )
        if not proven:
            raise Unproven("value_unproven")
        given[name] = value
    return given


def _whole(value: Any) -> Any:
    """Floats come out of zen even for whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hit(
    stage: CompiledStage,
    contract: contracts.Contract,
    table: str,
    row: Mapping[str, Any],
    values: Mapping[str, Value],
) -> Hit:
    output = {field: _typed(row.get(field), kind) for field, kind in contract.columns.items()}
    number = str(row["_row"])
    looks = stage.looks[table, number]
    return Hit(table, number, output, {name: values[name] for name in looks})


def _typed(value: object, kind: str | tuple[str, ...]) -> int | str:
    """What the stage's contract demands of a cell."""
    if kind == "number":
        value = _whole(value)
        if type(value) is int:
            return value
    elif isinstance(value, str) and (kind == "text" or value in kind):
        return value
    raise Unproven("output_mistyped")


def _looked_at(table: Mapping[str, Any], rule: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(column["field"] for column in table["inputs"] if rule.get(column["id"], "") != "")


def _leant_on(table: Mapping[str, Any], rule: Mapping[str, str], inputs: Iterable[str]) -> tuple[str, ...]:
    """Also what a cell compares its column with; a word in quotation marks counts too if an input is called so."""
    cells = (rule.get(column["id"], "") for column in table["inputs"])
    named = {name for cell in cells for name in _NAME.findall(cell)}
    return tuple(sorted({*_looked_at(table, rule), *named.intersection(inputs)}))
