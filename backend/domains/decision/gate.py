"""zen-engine behind our own gate: it sees only checked facts, and only a proven answer leaves it.

zen fails open (a null matches nothing, a broken cell is skipped, a cut graph returns nothing), so silence is
never taken for consent: into every collecting table the gate puts a witness row whose cells hold exactly the
catalogue's domain of each column. Without its witness a table has not been evaluated on proper facts, and the
stage raises `Unproven`, on which the case is referred.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import zen

from backend.domains.decision import contracts, lint
from backend.domains.decision.facts import Catalogue, Fact, Value
from backend.domains.decision.model import Stage, StrategyRefused, canonical

_WITNESS = "_witness"
_contents: dict[str, zen.ZenDecisionContent] = {}


def _load(key: str) -> zen.ZenDecisionContent:
    return _contents[key]


_engine = zen.ZenEngine({"loader": _load})
# The loader returns compiled content: a loader returning text recompiles on every call, and
# `decision.evaluate` starts a runtime per call (findings: 324 and 175 µs against 64).


class Unproven(Exception):
    """The stage gave no answer that can be trusted. The text is a stable code for the trace."""


class Hit(msgspec.Struct, frozen=True):
    """A row that matched: its outputs, and the facts its conditions looked at."""

    table: str
    row: str
    output: dict[str, int | str]
    facts: dict[str, Value]


class CompiledStage(msgspec.Struct, frozen=True):
    """A document that passed its checks. `looks` are the facts in the conditions of (table, row)."""

    stage: Stage
    hash: str
    inputs: tuple[str, ...]
    tables: tuple[str, ...]
    looks: dict[tuple[str, str], tuple[str, ...]]


def hash_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def compile_stage(stage: Stage, document: Any, catalogue: Catalogue) -> CompiledStage:
    """Check a document and make it ready to run. Raises `StrategyRefused` with every finding."""
    findings = lint.check(stage, document, catalogue)
    errors = [str(finding) for finding in findings if finding.severity == contracts.ERROR]
    if errors:
        raise StrategyRefused(errors)
    digest = hash_of(document)
    nodes = document["nodes"]
    entry = next(node for node in nodes if node["type"] == "inputNode")
    tables = [node for node in nodes if node["type"] == "decisionTableNode"]
    key = f"{digest}:{catalogue.hash}"
    if key not in _contents:
        try:
            _contents[key] = zen.ZenDecisionContent(json.dumps(instrumented(document, catalogue)))
        except Exception as cause:
            raise StrategyRefused(["文件：引擎读不懂这张流程图"]) from cause
    return CompiledStage(
        stage=stage,
        hash=digest,
        inputs=tuple(sorted(json.loads(entry["content"]["schema"])["properties"])),
        tables=tuple(node["id"] for node in tables),
        looks={
            (node["id"], rule["_id"]): _looked_at(node["content"], rule)
            for node in tables
            for rule in node["content"]["rules"]
        },
    )


def evaluate(stage: CompiledStage, values: Mapping[str, Value], catalogue: Catalogue) -> list[Hit]:
    """All rows that match, table by table. Raises `Unproven` rather than give half an answer."""
    try:
        context = {name: values[name] for name in stage.inputs}
    except KeyError as missing:
        raise Unproven("fact_missing") from missing
    try:
        result = _engine.evaluate(f"{stage.hash}:{catalogue.hash}", context)["result"]
    except Exception as cause:
        raise Unproven("engine_error") from cause
    contract = contracts.CONTRACTS[stage.stage]
    hits: list[Hit] = []
    for table in stage.tables:
        rows = result.get(table) if isinstance(result, dict) else None
        if contract.hit_policy == "first":
            rows = [rows] if isinstance(rows, dict) else []
            proven = bool(rows)
        else:
            rows = rows if isinstance(rows, list) else []
            proven = any(row.get("_row") == _WITNESS for row in rows)
        if not proven:
            raise Unproven("no_witness")
        hits.extend(_hit(stage, contract, table, row, values) for row in rows if row["_row"] != _WITNESS)
    names = {hit.output.get(contract.key) for hit in hits}
    if any(name not in names for name in contract.names):
        raise Unproven("part_missing")
    return hits


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
    """What the stage's contract demands of a cell. Floats come out of zen even for whole numbers."""
    if kind == "number":
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is int:
            return value
    elif isinstance(value, str) and (kind == "text" or value in kind):
        return value
    raise Unproven("output_mistyped")


def instrumented(document: Any, catalogue: Catalogue) -> Any:
    """The document as it runs: the catalogue's own types on the input node, row numbers in the output, a
    witness in each collecting table, results by table."""
    ready = copy.deepcopy(document)
    for node in ready["nodes"]:
        if node["type"] == "inputNode":
            names = json.loads(node["content"]["schema"])["properties"]
            node["content"]["schema"] = json.dumps(schema(names, catalogue))
        if node["type"] != "decisionTableNode":
            continue
        table = node["content"]
        table["outputPath"] = node["id"]
        table["outputs"].append({"id": "_row", "name": "_row", "field": "_row"})
        for rule in table["rules"]:
            rule["_row"] = f"'{rule['_id']}'"
        if table["hitPolicy"] == "collect":
            table["rules"].append(_witness(table, catalogue))
    return ready


def schema(names: Iterable[str], catalogue: Catalogue) -> dict[str, Any]:
    """JSON Schema of these facts; every one of them is required."""
    return {
        "type": "object",
        "required": sorted(names),
        "properties": {name: _property(catalogue[name]) for name in sorted(names)},
    }


def _property(fact: Fact) -> dict[str, Any]:
    if fact.kind == "bool":
        return {"type": "boolean"}
    if fact.kind == "enum":
        return {"type": "string", "enum": list(fact.members)}
    return {"type": "integer", "minimum": fact.low, "maximum": fact.high}


def _witness(table: Mapping[str, Any], catalogue: Catalogue) -> dict[str, str]:
    row = {column["id"]: _domain(catalogue[column["field"]]) for column in table["inputs"]}
    return {**row, "_id": _WITNESS, "_row": f"'{_WITNESS}'"}


def _domain(fact: Fact) -> str:
    """The cell that holds exactly the values a fact may have."""
    if fact.kind == "bool":
        return "true, false"
    if fact.kind == "enum":
        return ", ".join(f"'{member}'" for member in fact.members)
    return f"[{fact.low}..{fact.high}]"


def _looked_at(table: Mapping[str, Any], rule: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(column["field"] for column in table["inputs"] if rule.get(column["id"], "").strip())
