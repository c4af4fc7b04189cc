"""What a strategy document must satisfy before it may be stored or run; a finding is a place and a sentence.

A document is a JDM graph: one input node with a JSON Schema of the facts it uses, decision tables side by
side, one output node. zen runs a graph cut in two, skips a cell it cannot read and calls scripts with network
access without a word, so all of that is refused here.
"""

import json
from collections.abc import Mapping
from typing import Any

from backend.domains.decision import features, tables
from backend.domains.decision.contracts import CONTRACTS, Finding
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage


def check(stage: Stage, document: object, catalogue: Catalogue) -> list[Finding]:
    """All findings of one document; an empty list means it may run."""
    return _Lint(stage, catalogue).run(document)


class _Lint:
    def __init__(self, stage: Stage, catalogue: Catalogue) -> None:
        self._contract = CONTRACTS[stage]
        self._catalogue = catalogue
        self._known: dict[str, Fact] = {}
        self._used: set[str] = set()
        self._found: list[Finding] = []

    def _say(self, place: str, sentence: str) -> None:
        self._found.append(Finding(place, sentence))

    def run(self, document: object) -> list[Finding]:
        try:
            self._document(document)
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
            self._say("文件", "结构不对，缺少节点、列或行")
        return self._found

    def _document(self, document: object) -> None:
        if not isinstance(document, dict) or set(document) - {"nodes", "edges", "contentType", "settings"}:
            self._say("文件", "不是一张 JDM 流程图")
            return
        nodes = {node["id"]: node for node in document["nodes"]}
        if len(nodes) != len(document["nodes"]):
            self._say("文件", "有两个节点的编号相同")
        self._graph(nodes, document["edges"])
        entries = [node for node in nodes.values() if node["type"] == "inputNode"]
        if len(entries) != 1:
            return
        self._input(entries[0])
        for node in nodes.values():
            if node["type"] == "decisionTableNode":
                self._table(node)
        for name in sorted(set(self._known) - self._used):
            self._say("输入", f"{self._known[name].label} 声明了却没有用到")

    def _graph(self, nodes: Mapping[str, Any], edges: list[dict[str, Any]]) -> None:
        """Input → tables → output, every table on the way, nothing else."""
        kinds = [node["type"] for node in nodes.values()]
        for node in nodes.values():
            if not tables.NUMBER.fullmatch(node["id"]):
                self._say(str(node["id"]), "节点编号只能用字母、数字和下划线")
            if node["type"] == "functionNode":
                self._say(node["name"], "不能使用脚本节点")
            elif node["type"] not in ("inputNode", "decisionTableNode", "outputNode"):
                self._say(node["name"], "这一版只支持决策表节点")
        if kinds.count("inputNode") != 1 or kinds.count("outputNode") != 1:
            self._say("文件", "要有一个输入节点和一个输出节点")
        if "decisionTableNode" not in kinds:
            self._say("文件", "没有决策表")
        pairs = {(edge["sourceId"], edge["targetId"]) for edge in edges}
        if any(source not in nodes or target not in nodes for source, target in pairs):
            self._say("连线", "有一条线连到不存在的节点")
            return
        self._lines(nodes, pairs)

    def _lines(self, nodes: Mapping[str, Any], pairs: set[tuple[str, str]]) -> None:
        start = next((i for i, node in nodes.items() if node["type"] == "inputNode"), "")
        end = next((i for i, node in nodes.items() if node["type"] == "outputNode"), "")
        wanted = set()
        for number, node in nodes.items():
            if node["type"] != "decisionTableNode":
                continue
            wanted |= {(start, number), (number, end)}
            if (start, number) not in pairs:
                self._say(node["name"], "从输入走不到这张表")
            if (number, end) not in pairs:
                self._say(node["name"], "这张表的结果到不了输出")
        if pairs - wanted:
            self._say("连线", "有多余的线，表与表之间不能相连")

    def _input(self, node: Mapping[str, Any]) -> None:
        """The JSON Schema on the input node names the facts; types are the catalogue's."""
        schema = json.loads(node["content"]["schema"])
        names = list(schema["properties"])
        if schema["type"] != "object" or sorted(schema["required"]) != sorted(names):
            self._say("输入", "声明的每个数据项都要是必填")
        for name in names:
            fact = self._catalogue.facts.get(name)
            if fact is None or (fact.source == "stage" and name not in self._contract.before):
                self._say("输入", f"没有叫“{name}”的数据项")
            elif self._contract.prices and not fact.price:
                self._say("输入", f"{fact.label} 不能影响评级、额度或利率")
            elif self._contract.prices and not self._licensed(name):
                self._say("输入", f"{fact.label} 的来源没有征信许可，不能用来评级或定额定价")
            elif fact.kind == "date":
                self._say("输入", f"{fact.label} 是日期，规则里请用由它算出的天数或年龄")
            else:
                self._known[name] = fact
                self._types(name, fact, schema["properties"][name])

    def _licensed(self, name: str) -> bool:
        """D3-12; for the score's stage more is asked than for a cap."""
        rates = "grade" in self._contract.columns
        plain, _ = features.closure([name])
        may = self._catalogue.may_score if rates else self._catalogue.may_grant
        return all(may(each) for each in plain if each in self._catalogue)

    def _types(self, name: str, fact: Fact, declared: Mapping[str, Any]) -> None:
        kind = {"bool": "boolean", "enum": "string"}.get(fact.kind, "integer")
        if declared.get("type") != kind:
            self._say("输入", f"{name} 的类型应当是 {kind}")

    def _table(self, node: Mapping[str, Any]) -> None:
        check = tables.TableCheck(node, self._known, self._contract)
        check.run(alone=True)
        self._used |= check.used
        self._found += check.found
