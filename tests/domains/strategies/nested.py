"""The shipped strategies with their tables inside sub-flows, behind branches and two deep; they decide as before."""

import copy
from typing import Any

import msgspec

from backend.domains.decision import facts, gate
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, shipped, unfolding
from backend.domains.strategies.model import Document, UnionContent

NAME = "里面的"
FLOW = "flow-1"
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


def documents(held: dict[Stage, Any]) -> tuple[dict[Stage, Any], dict[str, Document]]:
    """Of a decision; eligibility two deep."""
    split = {
        Stage.FRAUD_CHECK: ("velocity", "device_customers_30d > 1"),
        Stage.RATING: ("grades", "score > 600"),
    }
    made, flows = dict[Stage, Any](), dict[str, Document]()
    for stage, document in held.items():
        inner = branched(document, *split[stage]) if stage in split else document
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
