"""What a strategy document must satisfy before it may be stored or run; a finding is a place and a sentence.

A document is a JDM graph: one input node with a JSON Schema of the facts it uses, decision tables side by
side, one output node. zen runs a graph cut in two, skips a cell it cannot read and calls scripts with network
access without a word, so all of that is refused here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.domains.decision import expressions
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage

MAX_ROWS = 500
GRADES = ("A", "B", "C", "D", "E")
SEVERITIES = ("decline", "refer", "note")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_ROW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Finding(msgspec.Struct, frozen=True):
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}：{self.sentence}"


class Contract(msgspec.Struct, frozen=True):
    """What the tables of a stage must give back.

    `columns` by field: 'text', 'number', or the allowed words. `names` are values of `key` that must be among
    the rows at run time, or the stage has no result.
    """

    hit_policy: str
    columns: dict[str, str | tuple[str, ...]]
    key: str = ""
    names: tuple[str, ...] = ()
    before: tuple[str, ...] = ()  # results of earlier stages it may use
    prices: bool = False  # only facts allowed to move a price


_RULES = Contract("collect", {"code": "text", "severity": SEVERITIES, "text": "text", "advice": "text"})
CONTRACTS: dict[Stage, Contract] = {
    Stage.FRAUD_CHECK: _RULES,
    Stage.ELIGIBILITY: _RULES,
    Stage.RATING: Contract(
        "first",
        {"grade": GRADES, "verdict": ("pass", "refer", "decline")},
        before=("score",),
        prices=True,
    ),
    Stage.LIMIT: Contract(
        "collect",
        {"cap": "text", "label": "text", "amount": "number"},
        key="cap",
        names=("product", "regulation", "income", "assets", "obligations"),
        before=("score", "grade"),
        prices=True,
    ),
    Stage.PRICING: Contract(
        "collect",
        {"part": "text", "label": "text", "bp": "number"},
        key="part",
        names=("lpr", "cost", "risk"),
        before=("score", "grade"),
        prices=True,
    ),
}


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
                self._table(str(node["name"]), node["content"])
        for name in sorted(set(self._known) - self._used):
            self._say("输入", f"{self._known[name].label} 声明了却没有用到")

    def _graph(self, nodes: Mapping[str, Any], edges: list[dict[str, Any]]) -> None:
        """Input → tables → output, every table on the way, nothing else."""
        kinds = [node["type"] for node in nodes.values()]
        for node in nodes.values():
            if not _IDENTIFIER.fullmatch(node["id"]):
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
            elif fact.kind == "date":
                self._say("输入", f"{fact.label} 是日期，规则里请用由它算出的天数或年龄")
            else:
                self._known[name] = fact
                self._types(name, fact, schema["properties"][name])

    def _types(self, name: str, fact: Fact, declared: Mapping[str, Any]) -> None:
        kind = {"bool": "boolean", "enum": "string"}.get(fact.kind, "integer")
        if declared.get("type") != kind:
            self._say("输入", f"{name} 的类型应当是 {kind}")

    def _table(self, name: str, table: Mapping[str, Any]) -> None:
        if table["hitPolicy"] != self._contract.hit_policy:
            self._say(name, f"命中方式要用 {self._contract.hit_policy}")
        if table.get("passThrough") or table.get("inputField") or table.get("executionMode") != "single":
            self._say(name, "这张表的设置会改变输入，不能使用")
        columns = self._columns(name, table)
        rules = table["rules"]
        if not rules or len(rules) > MAX_ROWS:
            self._say(name, f"表里要有 1 到 {MAX_ROWS} 行")
        rows = [str(rule["_id"]) for rule in rules]
        if len(set(rows)) != len(rows) or not all(_ROW_ID.fullmatch(row) for row in rows):
            self._say(name, "每一行都要有自己的编号，只用字母、数字和 _ . -")
        intervals = [self._row(f"{name} 第 {i} 行", rule, table, columns) for i, rule in enumerate(rules, 1)]
        if self._contract.hit_policy == "first" and len(columns) == 1:
            self._coverage(name, next(iter(columns.values())), intervals)

    def _columns(self, name: str, table: Mapping[str, Any]) -> dict[str, Fact]:
        """Input columns by id. A column outside the declared inputs would be null in zen."""
        columns: dict[str, Fact] = {}
        for column in table["inputs"]:
            fact = self._known.get(column.get("field") or "")
            if fact is None:
                self._say(name, f"列“{column.get('name')}”用的数据项没有在输入里声明")
            else:
                columns[column["id"]] = fact
        if not columns:
            self._say(name, "表里没有条件列")
        ids = [column["id"] for column in (*table["inputs"], *table["outputs"])]
        if len(set(ids)) != len(ids) or not all(_IDENTIFIER.fullmatch(i) for i in ids):
            self._say(name, "有两列的编号相同，或编号不对")
        if {column["field"] for column in table["outputs"]} != set(self._contract.columns):
            self._say(name, "结果列不对，应当是 " + "、".join(self._contract.columns))
        return columns

    def _row(
        self, place: str, rule: Mapping[str, Any], table: Mapping[str, Any], columns: Mapping[str, Fact]
    ) -> list[tuple[float, float]]:
        """Check one row; the intervals of a single numeric condition, for the coverage of `first` tables."""
        known_ids = {column["id"] for column in (*table["inputs"], *table["outputs"])}
        extra = [key for key in rule if key not in known_ids and not key.startswith("_")]
        if extra:
            self._say(place, f"有一格不属于任何列：{extra[0]}")
        intervals: list[tuple[float, float]] = []
        filled = 0
        for number, fact in columns.items():
            cell = rule.get(number, "")
            if not isinstance(cell, str):
                self._say(place, f"{fact.label} 这一格不是文字")
            elif cell.strip():
                filled += 1
                intervals.extend(self._condition(f"{place} {fact.label}", cell, fact))
        if not filled and self._contract is _RULES:
            self._say(place, "没有条件，会对每个人生效")
        for column in table["outputs"]:
            self._output(f"{place} {column['name']}", column["field"], rule.get(column["id"], ""))
        return intervals if filled else [(-float("inf"), float("inf"))]

    def _condition(self, place: str, cell: str, fact: Fact) -> list[tuple[float, float]]:
        self._used.add(fact.name)
        try:
            found = expressions.condition(cell, fact, self._known)
        except expressions.Unfit as unfit:
            self._say(place, str(unfit))
            return []
        self._used |= found.names
        if found.intervals and all(high < fact.low or low > fact.high for low, high in found.intervals):
            self._say(place, "超出这个数据项的范围，永远不会生效")
        return list(found.intervals or ())

    def _output(self, place: str, field: str, cell: str) -> None:
        kind = self._contract.columns.get(field)
        try:
            if kind == "number":
                self._used |= expressions.amount(cell, self._known)
                return
            text = expressions.literal(cell)
        except expressions.Unfit as unfit:
            self._say(place, str(unfit))
            return
        if isinstance(kind, tuple) and text not in kind:
            self._say(place, f"只能是 {'、'.join(kind)}")
        if field in ("code", self._contract.key) and not _IDENTIFIER.fullmatch(text):
            self._say(place, "代码只能用字母、数字和下划线")
        if field in ("text", "label") and not text.strip():
            self._say(place, "要写一句给客户看的话")
        self._placeholders(place, field, text)

    def _placeholders(self, place: str, field: str, text: str) -> None:
        for name in _PLACEHOLDER.findall(text):
            if field not in ("text", "advice") or name not in self._known:
                self._say(place, f"{{{name}}} 不是声明过的数据项")
            self._used.add(name)
        if text.count("{") != len(_PLACEHOLDER.findall(text)) or text.count("{") != text.count("}"):
            self._say(place, "花括号没有成对")

    def _coverage(self, name: str, fact: Fact, rows: list[list[tuple[float, float]]]) -> None:
        """Every value of the column must reach some row; say a value that does not."""
        at: float = fact.low
        for low, high in sorted(interval for row in rows for interval in row):
            if low > at:
                break
            at = max(at, high + 1)
        if at <= fact.high:
            self._say(name, f"{fact.label} 是 {int(at)} 时没有一行适用")
