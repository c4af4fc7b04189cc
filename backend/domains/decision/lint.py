"""What a strategy document must satisfy before it may be stored or run; a finding is a place and a sentence.

A document is a JDM graph: an input node with a JSON Schema of the facts it uses, nodes that pass facts on
(expressions, switches, scorecards, models), nodes that give results (decision tables, sub-flows), an output node.
zen runs a graph cut in two, skips a cell it cannot read and calls scripts with network access without a word, so
all of that is refused here. What may stand where is in `graph.py`, `steps.py` and `tables.py`.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.domains.decision import expressions, features, graph, steps, tables
from backend.domains.decision.contracts import CONTRACTS, ERROR, Finding
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.graph import CUSTOM, EXPRESSION, FLOW, INPUT, SWITCH, TABLE, Graph
from backend.domains.decision.model import Stage, canonical

MAX_DEPTH = 4
"""Sub-flows within sub-flows."""
MOST_FLOWS = 200
"""Sub-flows of one document, each counted wherever it runs: five files that each run the next twenty times would be
160,000."""


class Library(msgspec.Struct, frozen=True):
    """What a document may refer to, by SHA-256: stored documents as sub-flows, scorecards and models."""

    flows: Mapping[str, Any] = {}
    models: Mapping[str, steps.Model] = {}


NOTHING = Library()


class Reading(msgspec.Struct, frozen=True):
    """Everything found out about a document: findings, the graph unless it has no shape at all, and the names
    the document defines itself."""

    findings: list[Finding]
    graph: Graph | None
    locals: dict[str, Fact]


def check(stage: Stage, document: object, catalogue: Catalogue, library: Library = NOTHING) -> list[Finding]:
    """All findings of one document; without an error among them it may run."""
    return read(stage, document, catalogue, library).findings


def read(
    stage: Stage,
    document: object,
    catalogue: Catalogue,
    library: Library = NOTHING,
    within: tuple[str, ...] = (),
    passed: list[str] | None = None,
) -> Reading:
    """`within` are the sub-flows this one is read for, `passed` all that were read for the whole."""
    lint = _Lint(stage, catalogue, library, within, [] if passed is None else passed)
    lint.run(document)
    return Reading(lint.found, lint.graph, lint.locals)


class _Lint:
    def __init__(
        self,
        stage: Stage,
        catalogue: Catalogue,
        library: Library,
        within: tuple[str, ...],
        passed: list[str],
    ) -> None:
        self._stage, self._contract = stage, CONTRACTS[stage]
        self._catalogue, self._library, self._within = catalogue, library, within
        self._passed = passed
        self._known: dict[str, Fact] = {}
        self._used: set[str] = set()
        self.found: list[Finding] = []
        self.graph: Graph | None = None
        self.locals: dict[str, Fact] = {}

    def _say(
        self,
        place: str,
        sentence: str,
        severity: str = ERROR,
        *,
        node: str = "",
        row: str = "",
        column: str = "",
    ) -> None:
        self.found.append(Finding(place, sentence, severity, node, row, column))

    def run(self, document: object) -> None:
        try:
            self._document(document)
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
            self._say("文件", "结构不对，缺少节点、列或行")

    def _document(self, document: object) -> None:
        if not isinstance(document, dict) or set(document) - {"nodes", "edges", "contentType", "settings"}:
            self._say("文件", "不是一张 JDM 流程图")
            return
        if document.get("settings"):
            self._say("文件", "流程图有看不懂的设置 settings")
        self.graph = graph.read(document, self._say)
        entries = [node for node in document["nodes"] if node["type"] == INPUT]
        if len(entries) != 1:
            return
        self._input(entries[0])
        for node in document["nodes"]:
            if node["type"] in (INPUT, graph.OUTPUT) and set(node.get("content") or {}) - {"schema"}:
                self._say(node["name"], "这个节点有看不懂的设置", node=node["id"])
            if self._own(node) and steps.partner(node, self._library.models):
                self._say(node["name"], "这一环节要由本行自己决定，不能交给合作方", node=node["id"])
        if self.graph is not None:
            self._nodes(self.graph)
        for name in sorted(set(self._known) - self._used):
            self._say("输入", f"{self._known[name].label} 声明了却没有用到")

    def _own(self, node: Mapping[str, Any]) -> bool:
        """Whether the bank must do this itself: all of a key step, and what gives the result of any other (D1-10):
        there a partner may be asked, and a table of the bank's looks at its answer."""
        return self._contract.key_step or node["type"] in graph.RESULTS

    def _nodes(self, lines: Graph) -> None:
        """Each node with the facts and names that reach it."""
        if self._contract.hit_policy == "first":
            steps.one_way(lines, self._say)
        sure, given = lines.sure(), dict[str, dict[str, Fact]]()
        results = [node for node in lines.order if lines.kind(node) in graph.RESULTS]
        alone = len(results) == 1
        for number in lines.order:
            node, known = lines.nodes[number], self._reaching(number, lines, sure, given)
            kind = node["type"]
            if kind == TABLE:
                self._table(node, known, alone=alone)
            elif kind == FLOW:
                self._flow(node, known)
            elif kind in graph.PASSING:
                given[number] = self._passing(node, known, lines)

    def _reaching(
        self, number: str, lines: Graph, sure: frozenset[str], given: Mapping[str, dict[str, Fact]]
    ) -> dict[str, Fact]:
        """What is there whichever branches were taken: what comes on a sure way, or on every way."""
        if lines.kind(number) == INPUT:
            return dict(self._known)
        ways = [(line, given.get(line.source, {})) for line in lines.into[number]]
        everywhere = set.intersection(*(set(each) for _, each in ways)) if ways else set()
        found: dict[str, Fact] = {}
        for line, each in ways:
            certain = line.source in sure and not line.handle
            found |= {name: fact for name, fact in each.items() if certain or name in everywhere}
        return found

    def _passing(self, node: Mapping[str, Any], known: dict[str, Fact], lines: Graph) -> dict[str, Fact]:
        def say(place: str, sentence: str, severity: str = ERROR, *, row: str = "", column: str = "") -> None:
            self._say(place, sentence, severity, node=node["id"], row=row, column=column)

        taken = frozenset((*self._catalogue.facts, *self.locals))
        defined: dict[str, Fact] = {}
        used: set[str] = set()
        if node["type"] == EXPRESSION:
            defined, used = steps.expression(node, known, taken, say)
            if not node["content"].get("passThrough"):
                known = {}
        elif node["type"] == SWITCH:
            used = steps.switch(node, known, lines, say)
        elif node["type"] == CUSTOM:
            defined, used = steps.custom(node, known, taken, self._library.models, say)
        self._used |= used
        self.locals |= defined
        return {**known, **defined}

    def _table(self, node: Mapping[str, Any], known: Mapping[str, Fact], *, alone: bool) -> None:
        check = tables.TableCheck(node, known, self._contract)
        check.run(alone=alone)
        self._used |= check.used
        self.found += check.found

    def _flow(self, node: Mapping[str, Any], known: Mapping[str, Fact]) -> None:
        """A sub-flow passes the same checks, and finds the facts it declares. A finding's node is named as in a trace:
        node/table."""
        number = node["id"]
        key = steps.flow_key(node, lambda place, sentence: self._say(place, sentence, node=number))
        if key in self._within or len(self._within) >= MAX_DEPTH:
            self._say(node["name"], "子流程绕成了圈，或套得太深", node=number)
            return
        if len(self._passed) >= MOST_FLOWS:
            self._say(node["name"], f"子流程一层层加起来太多，最多 {MOST_FLOWS} 个", node=number)
            return
        self._passed.append(key)
        document = self._library.flows.get(key)
        if document is None or hashlib.sha256(canonical(document)).hexdigest() != key:
            self._say(node["name"], "没有这个子流程，或不是保存过的一版", node=number)
            return
        inner = read(
            self._stage, document, self._catalogue, self._library, (*self._within, key), self._passed
        )
        for each in inner.findings:
            place, inside = f"{node['name']} › {each.place}", f"{number}/{each.node}" if each.node else number
            self._say(place, each.sentence, each.severity, node=inside, row=each.row, column=each.column)
        if inner.graph is None:
            return
        entry = next(n for n in document["nodes"] if n["type"] == INPUT)
        for name in declared(entry):
            self._used.add(name)
            if name not in known:
                self._say(node["name"], "子流程要用的" + expressions.unknown(name), node=number)

    def _input(self, node: Mapping[str, Any]) -> None:
        """The JSON Schema on the input node names the facts; types are the catalogue's."""
        schema = json.loads(node["content"]["schema"])
        names = list(schema["properties"])
        if schema["type"] != "object" or sorted(schema["required"]) != sorted(names):
            self._say("输入", "声明的每个数据项都要是必填", node=node["id"])
        for name in names:
            fact = self._catalogue.facts.get(name)
            if fact is None or (fact.source == "stage" and name not in self._contract.before):
                self._say("输入", f"没有叫“{name}”的数据项", node=node["id"], row=name)
                continue
            refusal = self._refusal(fact)
            if refusal:
                self._say("输入", f"{fact.label} {refusal}", node=node["id"], row=name)
            else:
                self._known[name] = fact
                self._types(node, fact, schema["properties"][name])

    def _refusal(self, fact: Fact) -> str:
        """Why this stage may not look at a fact."""
        if self._contract.prices and not fact.price:
            return "不能影响评级、额度或利率"
        if self._contract.prices and not self._licensed(fact.name):
            return "的来源没有征信许可，不能用来评级或定额定价"
        if fact.kind == "date":
            return "是日期，规则里请用由它算出的天数或年龄"
        plain, _ = features.closure({fact.name})
        sources = {self._catalogue[name].source for name in plain if name in self._catalogue}
        if self._contract.key_step and any(source.split("_")[0] == "partner" for source in sources):
            return "来自合作方，这一环节要由本行自己决定"
        return ""

    def _licensed(self, name: str) -> bool:
        """D3-12; for the score's stage more is asked than for a cap."""
        rates = "grade" in self._contract.columns
        plain, _ = features.closure({name})
        may = self._catalogue.may_score if rates else self._catalogue.may_grant
        return all(may(each) for each in plain if each in self._catalogue)

    def _types(self, node: Mapping[str, Any], fact: Fact, declared: Mapping[str, Any]) -> None:
        kind = {"bool": "boolean", "enum": "string"}.get(fact.kind, "integer")
        if declared.get("type") != kind:
            said = {"boolean": "是否（boolean）", "string": "文字（string）"}.get(kind, "整数（integer）")
            self._say("输入", f"{fact.label} 的类型应当是{said}", node=node["id"], row=fact.name)


def declared(entry: Mapping[str, Any]) -> list[str]:
    """The facts an input node names."""
    return list(json.loads(entry["content"]["schema"])["properties"])
