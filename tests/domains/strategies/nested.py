"""The shipped strategies with their tables inside sub-flows, behind branches and two deep, or looking at nothing but
what they compute themselves; they decide as before."""

import copy
import json
import re
from typing import Any

import msgspec

from backend.domains.decision import facts, gate
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, shipped, unfolding
from backend.domains.strategies.model import Document, UnionContent

NAME = "里面的"
FLOW = "flow-1"
TWICE = "_again"
"""Behind the name of a fact that a flow computes anew."""
KNOWN = facts.catalogue()


def wrapped(document: Document) -> tuple[Document, dict[str, Document]]:
    """A flow that runs nothing but this one as its sub-flow."""
    ends = [node for node in document["nodes"] if not arranging.may_go(node)]
    made = arranging.with_flow({"nodes": ends, "edges": []}, NAME, gate.hash_of(document), document)
    return made, {gate.hash_of(document): document}


def branched(document: Document, table: str, condition: str) -> Document:
    """With a branch in front of a table: whom `condition` fits, and all others, who come to a copy of it."""
    (node,) = (each for each in document["nodes"] if each["id"] == table)
    ends = {each["type"]: each["id"] for each in document["nodes"]}
    other = {**copy.deepcopy(node), "id": f"{table}-rest", "name": f"{node['name']}（其余）"}
    statements = [
        {"id": "b1", "condition": condition, "isDefault": False},
        {"id": "b2", "condition": "", "isDefault": True},
    ]
    content = {"hitPolicy": "first", "statements": statements}
    switch = {"id": "split", "type": "switchNode", "name": "分开", "position": {"x": 0, "y": 0}}
    edges = [each for each in document["edges"] if table not in (each["sourceId"], each["targetId"])]
    lines = [
        (ends["inputNode"], "", "split"),
        ("split", "b1", table),
        ("split", "b2", other["id"]),
        (table, "", ends["outputNode"]),
        (other["id"], "", ends["outputNode"]),
    ]
    edges += [
        {"id": f"w{n}", "type": "edge", "sourceId": source, "targetId": target}
        | ({"sourceHandle": branch} if branch else {})
        for n, (source, branch, target) in enumerate(lines)
    ]
    nodes = [*document["nodes"], other, {**switch, "content": content}]
    return {**document, "nodes": nodes, "edges": edges}


def computing(document: Document) -> Document:
    """The same with every number and every yes or no that its conditions look at computed first, in two steps."""
    fields = sorted(
        {
            column["field"]
            for node in document["nodes"]
            if node["type"] == "decisionTableNode"
            for column in node["content"]["inputs"]
            if KNOWN[column["field"]].kind != "enum"
        }
    )
    entry = next(each["id"] for each in document["nodes"] if each["type"] == "inputNode")
    nodes = [_asking(node, fields) for node in document["nodes"]]
    nodes += [
        _calculation("calc-1", {f"first_{each}": each for each in fields}),
        _calculation("calc-2", {f"{each}{TWICE}": f"first_{each}" for each in fields}),
    ]
    edges = [
        {**each, "sourceId": "calc-2"} if each["sourceId"] == entry else each for each in document["edges"]
    ]
    edges += [
        {"id": "c1", "type": "edge", "sourceId": entry, "targetId": "calc-1"},
        {"id": "c2", "type": "edge", "sourceId": "calc-1", "targetId": "calc-2"},
    ]
    return {**document, "nodes": nodes, "edges": edges}


def _asking(node: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    content = node.get("content")
    if node["type"] == "switchNode":
        said = json.dumps(content)
        for field in fields:
            said = re.sub(rf"\b{field}\b", field + TWICE, said)
        return {**node, "content": json.loads(said)}
    if node["type"] != "decisionTableNode":
        return node
    inputs = [
        {**each, "field": each["field"] + TWICE} if each["field"] in fields else each
        for each in content["inputs"]
    ]
    return {**node, "content": {**content, "inputs": inputs}}


def _calculation(number: str, rows: dict[str, str]) -> dict[str, Any]:
    said = [{"id": f"e{at}", "key": key, "value": value} for at, (key, value) in enumerate(rows.items())]
    content = {"expressions": said, "passThrough": True, "inputField": None, "outputPath": None}
    return {
        "id": number,
        "type": "expressionNode",
        "name": number,
        "position": {"x": 0, "y": 0},
        "content": {**content, "executionMode": "single"},
    }


def documents(
    held: dict[Stage, Any], *, computed: bool = False
) -> tuple[dict[Stage, Any], dict[str, Document]]:
    """Of a decision; eligibility two deep."""
    split = {
        Stage.FRAUD_CHECK: ("velocity", "device_customers_30d > 1"),
        Stage.RATING: ("grades", "score > 600"),
    }
    made, flows = dict[Stage, Any](), dict[str, Document]()
    for stage, document in held.items():
        inner = branched(document, *split[stage]) if stage in split else document
        inner = computing(inner) if computed else inner
        made[stage], fresh = wrapped(inner)
        flows |= fresh
    made[Stage.ELIGIBILITY], fresh = wrapped(made[Stage.ELIGIBILITY])
    return made, {**flows, **fresh}


def unions(made: dict[Stage, Any], flows: dict[str, Document]) -> dict[Stage, UnionContent]:
    """With everything opened that comes with the code, each laid out."""
    found = {}
    for stage, document in made.items():
        held = shipped.openings(stage, _innermost(document, flows))
        path = f"{FLOW}/{FLOW}/" if stage is Stage.ELIGIBILITY else f"{FLOW}/"
        opened = msgspec.structs.replace(
            held,
            parameters=tuple(
                msgspec.structs.replace(each, table=path + each.table) for each in held.parameters
            ),
            places=tuple(path + each for each in held.places),
        )
        found[stage] = unfolding.laid_out(UnionContent(document=document, openings=opened), flows)
    return found


def _innermost(document: Document, flows: dict[str, Document]) -> Document:
    while any(node["id"] == FLOW for node in document["nodes"]):
        (node,) = (each for each in document["nodes"] if each["id"] == FLOW)
        document = flows[node["content"]["key"]]
    return document
