"""A document as it runs: with witnesses in it, by which the gate knows that zen really evaluated what it says.

The stored document is never changed; node ids starting with `_` are ours and no document may use them.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from backend.domains.decision import graph
from backend.domains.decision.facts import Catalogue, Fact

WITNESS = "_witness"


def value_key(node: str) -> str:
    """Where the values of an expression, scorecard or model node stand in the result."""
    return f"_value_{node}"


def branch_key(node: str, at: int) -> str:
    """What stands in the result when a switch took its branch number `at`."""
    return f"_branch_{at}_{node}"


def instrumented(
    document: Any,
    catalogue: Catalogue,
    known: Mapping[str, Fact] | None = None,
    flows: Mapping[str, str] | None = None,
) -> Any:
    """The catalogue's own types on the input node, row numbers in the output, a witness in each collecting
    table, results by table, values and branches beside them. `flows` are the engine's keys of sub-flows."""
    known = catalogue.facts if known is None else known
    ready = copy.deepcopy(document)
    end = next(node["id"] for node in ready["nodes"] if node["type"] == graph.OUTPUT)
    for node in list(ready["nodes"]):
        kind = node["type"]
        if kind == graph.INPUT:
            names = json.loads(node["content"]["schema"])["properties"]
            node["content"]["schema"] = json.dumps(schema(names, catalogue))
        elif kind == graph.TABLE:
            _table(node, known)
        elif kind == graph.FLOW:
            node["content"] |= {"key": (flows or {})[node["id"]], "outputPath": node["id"]}
        elif kind == graph.SWITCH:
            for at, each in enumerate(node["content"]["statements"]):
                shown = _shown(branch_key(node["id"], at), {"taken": "true"})
                _beside(ready, node["id"], shown, end, each["id"])
        elif names := given_names(node):
            shown = _shown(value_key(node["id"]), {name: name for name in names})
            _beside(ready, node["id"], shown, end)
    return ready


def given_names(node: Mapping[str, Any]) -> list[str]:
    """The names a node gives values to."""
    if node["type"] == graph.EXPRESSION:
        return [each["key"] for each in node["content"]["expressions"]]
    return [node["content"]["config"]["output"]] if node["type"] == graph.CUSTOM else []


def _table(node: dict[str, Any], known: Mapping[str, Fact]) -> None:
    table = node["content"]
    table["outputPath"] = node["id"]
    for side in ("inputs", "outputs"):
        table[side] = [
            {"id": column["id"], "name": column.get("name") or column["field"], "field": column["field"]}
            for column in table[side]
        ]
    table["outputs"].append({"id": "_row", "name": "_row", "field": "_row"})
    for rule in table["rules"]:
        rule["_row"] = f"'{rule['_id']}'"
    if table["hitPolicy"] == "collect":
        row = {column["id"]: _domain(known[column["field"]]) for column in table["inputs"]}
        table["rules"].append({**row, "_id": WITNESS, "_row": f"'{WITNESS}'"})


def _shown(key: str, expressions: Mapping[str, str]) -> dict[str, Any]:
    """A node that puts these values under one key of the result, and nothing else."""
    return {
        "id": key,
        "type": graph.EXPRESSION,
        "name": key,
        "content": {
            "expressions": [{"id": name, "key": name, "value": value} for name, value in expressions.items()],
            "passThrough": False,
            "inputField": None,
            "outputPath": key,
            "executionMode": "single",
        },
    }


def _beside(document: Any, source: str, node: dict[str, Any], end: str, handle: str | None = None) -> None:
    document["nodes"].append(node)
    into = {"id": f"{node['id']}_in", "type": "edge", "sourceId": source, "targetId": node["id"]}
    document["edges"] += [
        {**into, "sourceHandle": handle} if handle else into,
        {"id": f"{node['id']}_out", "type": "edge", "sourceId": node["id"], "targetId": end},
    ]


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


def _domain(fact: Fact) -> str:
    """The cell that holds exactly the values a fact may have."""
    if fact.kind == "bool":
        return "true, false"
    if fact.kind == "enum":
        return ", ".join(f"'{member}'" for member in fact.members)
    return f"[{fact.low}..{fact.high}]"
