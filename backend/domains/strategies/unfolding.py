"""A flow with the tables of its sub-flows laid out beside its own, for what head office opens to counties (N4).

Pure. For reading and for composing a county's document, never run: what decides of head office is the flow itself.
A table of a sub-flow is called as in a trace (`flow-1/table-1`) and told as `外地客户 › 规则`, a switch and a
calculation likewise. One that uses what a model in its sub-flow gives is left out, since a county's document asks none.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

from backend.domains.decision import facts, graph
from backend.domains.strategies import computing, nesting, overlays, ways
from backend.domains.strategies.model import CountyContent, Document, UnionContent
from backend.domains.strategies.nesting import Flows, Part

_LAID_OUT = (graph.TABLE, graph.SWITCH, graph.EXPRESSION)


def laid_out(content: UnionContent, flows: Flows) -> UnionContent:
    """The same where it runs no sub-flow, or cannot be read."""
    with contextlib.suppress(*nesting.UNREADABLE):
        return _laid_out(content, flows)
    return content


def _laid_out(content: UnionContent, flows: Flows) -> UnionContent:
    inner = [part for part in nesting.parts(content.document, flows) if part.path]
    if not inner:
        return content
    nodes, edges = list(content.document["nodes"]), list(content.document["edges"])
    for part in inner:
        nodes += _nodes(part)
        edges += _edges(part)
    whole = {**content.document, "nodes": nodes, "edges": edges}
    hidden = {each for part in inner for each in _hidden(part, whole)}
    left = [node for node in nodes if node["id"] not in hidden]
    return msgspec.structs.replace(content, document={**whole, "nodes": left})


def with_layer(
    content: UnionContent, flows: Flows, cells: overlays.Cells, added: CountyContent
) -> tuple[Document, Flows]:
    """Head office's flow with a county's numbers (`overlays.county_cells`) and rows in it, inside sub-flows too, and
    the sub-flows that come of it; for reading."""
    document, made = content.document, dict[str, Document]()
    for part in sorted(nesting.parts(document, flows), key=lambda each: -len(each.path)):
        now = nesting.at(document, {**flows, **made}, part.path)
        assert now is not None
        prefix = f"{part.node}/" if part.path else ""
        laid = overlays.laid_over(now.document, cells, added, prefix)
        if laid != now.document:
            document, fresh = nesting.with_other(document, {**flows, **made}, part.path, laid, {})
            made |= fresh
    return document, made


def _nodes(part: Part) -> Iterator[dict[str, Any]]:
    for node in part.document["nodes"]:
        if node["type"] in _LAID_OUT:
            name = part.called + nesting.BETWEEN + node["name"]
            yield {**node, "id": f"{part.node}/{node['id']}", "name": name}


def _edges(part: Part) -> Iterator[dict[str, Any]]:
    """Lines of a sub-flow, beginning at its node instead of its input; what it leads to stands by itself."""
    kinds = {node["id"]: node["type"] for node in part.document["nodes"]}
    for edge in part.document["edges"]:
        source, target = edge["sourceId"], edge["targetId"]
        if kinds.get(target) == graph.OUTPUT:
            continue
        begin = part.node if kinds.get(source) == graph.INPUT else f"{part.node}/{source}"
        line = {**edge, "id": f"{part.node}/{edge.get('id', '')}", "sourceId": begin}
        yield {**line, "targetId": f"{part.node}/{target}"}


def _hidden(part: Part, whole: Document) -> Iterator[str]:
    """Tables that a county's document could not ask of the same customers."""
    known = facts.catalogue().facts
    within = {name for where, name in computing.reachable(whole, known) if where == part.node}
    for number, node in overlays.tables(part.document).items():
        place = f"{part.node}/{number}"
        if computing.hangs_on_more(node, part.document, within) or ways.computed(whole, place, known):
            yield place
