"""A flow with the sub-flows it runs: which there are, where a finding stands in them, and one of them replaced
(issue 3 §8).

A sub-flow is a stored document that a node names by its hash. So it is changed by naming another: the documents from
the changed one outwards get new hashes, and the version's own says everything that runs, as ever.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import facts, gate, graph
from backend.domains.decision import service as decisions
from backend.domains.decision.lint import MAX_DEPTH
from backend.domains.strategies import arranging, calculations, scored
from backend.domains.strategies.model import Document, Finding

BETWEEN = " › "
Flows = Mapping[str, Document]
"""Sub-flows by hash."""
UNREADABLE = (LookupError, TypeError, AttributeError, ValueError)
"""What a draft of a file may hold; its checks say what is wrong."""


class Part(msgspec.Struct, frozen=True):
    """A document of a flow: the whole itself, or the sub-flow of the nodes `path`, called `names`."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    document: Document

    @property
    def node(self) -> str:
        """As traces and findings name it, '' for the whole."""
        return "/".join(self.path)

    @property
    def called(self) -> str:
        return BETWEEN.join(self.names)


async def flows_of(tx: Tx, *documents: Mapping[str, Any]) -> Flows:
    """Every sub-flow these documents run, those of their sub-flows too; none of a document that cannot be read."""
    found: dict[str, Document] = {}
    for document in documents:
        with contextlib.suppress(*UNREADABLE):
            found |= await decisions.flows(tx, [document])
    return found


def key_of(node: Mapping[str, Any]) -> str:
    """The hash of the sub-flow a node runs; '' for any other node, or one that is not written out."""
    content = node.get("content")
    named = node.get("type") == graph.FLOW and isinstance(content, dict)
    return str(content.get("key", "")) if named and content else ""


def nodes_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in document["nodes"] if key_of(node)]


def parts(document: Document, flows: Flows) -> Iterator[Part]:
    """The document itself, then each sub-flow with those inside it; what is not stored is left out."""
    yield from _parts(Part((), (), document), flows)


def _parts(part: Part, flows: Flows) -> Iterator[Part]:
    yield part
    if len(part.path) >= MAX_DEPTH:
        return
    for node in nodes_of(part.document):
        inner = flows.get(key_of(node))
        if inner is not None:
            path, names = (*part.path, str(node["id"])), (*part.names, str(node["name"]))
            yield from _parts(Part(path, names, inner), flows)


def at(document: Document, flows: Flows, path: Sequence[str]) -> Part | None:
    """The sub-flow of these nodes; None: there is none."""
    with contextlib.suppress(*UNREADABLE):
        return next((each for each in parts(document, flows) if each.path == tuple(path)), None)
    return None


def with_other(
    document: Document, flows: Flows, path: Sequence[str], inner: Document, reads: Mapping[str, Sequence[str]]
) -> tuple[Document, Flows]:
    """The document with another sub-flow at these nodes (at none: `inner` itself), and the sub-flows that are new. What
    the new one reads is declared all the way out; `reads` as in `trimmed`."""
    if not path:
        return inner, {}
    part = at(document, flows, path[:-1])
    assert part is not None
    key = gate.hash_of(inner)
    nodes = [
        {**node, "content": {**node["content"], "key": key}} if node["id"] == path[-1] else node
        for node in part.document["nodes"]
    ]
    holder = arranging.declaring({**part.document, "nodes": nodes}, declared(inner), facts.catalogue())
    holder = trimmed(holder, {**flows, key: inner}, reads)
    whole, fresh = with_other(document, flows, path[:-1], holder, reads)
    return whole, {**fresh, key: inner}


def trimmed(document: Document, flows: Flows, reads: Mapping[str, Sequence[str]]) -> Document:
    """Without what neither a node nor a sub-flow nor a model reads any more (`reads`: of models, by hash)."""
    return scored.declaring_less(document, {**reads, **{key: declared(each) for key, each in flows.items()}})


def declared(document: Mapping[str, Any]) -> list[str]:
    """The facts a flow takes; none of one that cannot be read."""
    with contextlib.suppress(*UNREADABLE):
        entry = next(node for node in document["nodes"] if node["type"] == graph.INPUT)
        return list(json.loads(entry["content"]["schema"])["properties"])
    return []


def seen_from(
    findings: Iterable[Finding], within: Sequence[tuple[str, str]], *, others: bool = True
) -> list[Finding]:
    """Findings of a whole version as one of its sub-flows sees them: its own by their own nodes, all others (left out
    without `others`) by their place alone."""
    if not within:
        return list(findings)
    inner = "/".join(node for node, _ in within)
    outer = BETWEEN.join((*(name for _, name in within), ""))
    found = []
    for each in findings:
        mine = each.place.startswith(outer) and (each.node == inner or each.node.startswith(f"{inner}/"))
        if mine:
            node, place = each.node[len(inner) + 1 :], each.place.removeprefix(outer)
            found.append(msgspec.structs.replace(each, node=node, place=place))
        elif others:
            found.append(msgspec.structs.replace(each, node="", row="", column=""))
    return found


def seen_in(part: Part, findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one part as the whole tells them: `node/table`, `外地客户 › 征信 第 1 行`."""
    if not part.path:
        return list(findings)
    return [
        msgspec.structs.replace(
            each, node=f"{part.node}/{each.node}", place=part.called + BETWEEN + each.place
        )
        for each in findings
    ]


def plainly(findings: Iterable[Finding], document: Document, flows: Flows) -> list[Finding]:
    """Those of sub-flows with the names people gave there: the letters behind them may mean another name outside."""
    found = list(findings)
    if not any("/" in each.node for each in found):
        return found
    known = {
        f"{part.node}/": calculations.words(part.document, facts.catalogue())
        for part in parts(document, flows)
        if part.path
    }
    made = []
    for each in found:
        words = known.get(each.node[: each.node.rfind("/") + 1])
        if words is not None:
            place, sentence = (calculations.plainly(said, words) for said in (each.place, each.sentence))
            each = msgspec.structs.replace(each, place=place, sentence=sentence)
        made.append(each)
    return made
