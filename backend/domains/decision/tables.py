"""What one decision table must satisfy: its settings, its columns, every cell, and its rows taken together."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domains.decision import coverage, expressions, facts, logic, regions
from backend.domains.decision.contracts import ERROR, FIELDS, HIT_POLICIES, WORDS, Contract, Finding
from backend.domains.decision.facts import Fact
from backend.domains.decision.regions import Span

MAX_ROWS = 500
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
"""Codes and names."""
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
"""Ids of nodes and columns; GoRules' editor makes UUIDs."""
_ROW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SETTINGS = {
    "hitPolicy",
    "inputs",
    "outputs",
    "rules",
    "passThrough",
    "inputField",
    "outputPath",
    "executionMode",
}
_COLUMN = {"id", "name", "field", "type", "description", "fieldType", "outputFieldType"}
"""The last two are what the editor offers while typing; the engine is never given them."""


def moving(content: Mapping[str, Any]) -> list[str]:
    """The settings by which a table would put other facts in place of those it was given, each as
    GoRules' editor writes it: of a new table it has set the first."""
    found = [name for name in ("passThrough", "inputField") if content.get(name)]
    return found + ["executionMode"] * (content.get("executionMode") != "single")


class TableCheck:
    """One table in its place: `known` are the facts and names that reach it. Findings go to `found`, names it
    uses to `used`."""

    def __init__(self, node: Mapping[str, Any], known: Mapping[str, Fact], contract: Contract) -> None:
        self._id, self._name = str(node["id"]), str(node["name"])
        self._table: Mapping[str, Any] = node["content"]
        self._known, self._contract = known, contract
        self.found: list[Finding] = []
        self.used: set[str] = set()

    def _say(self, place: str, sentence: str, severity: str = ERROR, row: str = "", column: str = "") -> None:
        self.found.append(Finding(place, sentence, severity, self._id, row, column))

    def run(self, *, alone: bool) -> None:
        table = self._table
        if table["hitPolicy"] != self._contract.hit_policy:
            self._say(self._name, f"命中方式要用“{HIT_POLICIES[self._contract.hit_policy]}”")
        for wrong in moving(table):
            self._say(self._name, f"这张表的设置 {wrong} 会改变输入，请在编辑器里关掉")
        if extra := set(table) - _SETTINGS:
            self._say(self._name, f"这张表有看不懂的设置 {min(extra)}")
        columns = self._columns()
        rules = table["rules"]
        if not rules or len(rules) > MAX_ROWS:
            self._say(self._name, f"表里要有 1 到 {MAX_ROWS} 行")
        rows = [rule["_id"] if isinstance(rule["_id"], str) else "" for rule in rules]
        if len(set(rows)) != len(rows) or not all(_ROW_ID.fullmatch(row) for row in rows):
            self._say(self._name, "每一行都要有自己的编号，只用字母、数字和 _ . -")
        before = len(self.found)
        read = [self._row(i, rule, columns) for i, rule in enumerate(rules, 1)]
        if len(self.found) == before and columns:
            self._together(columns, read, alone)

    def _together(self, columns: Mapping[str, Fact], rows: Sequence[coverage.Row], alone: bool) -> None:
        places = {row.id: f"{self._name} 第 {i} 行" for i, row in enumerate(rows, 1)}
        found = {fact.name: fact for fact in columns.values()}
        coverage.check(
            list(found.values()),
            rows,
            self._contract,
            lambda row, sentence, severity: self._say(places.get(row, self._name), sentence, severity, row),
            alone=alone,
        )

    def _columns(self) -> dict[str, Fact]:
        """Input columns by id. A column outside the declared inputs would be null in zen."""
        columns: dict[str, Fact] = {}
        for column in self._table["inputs"]:
            fact = self._known.get(column.get("field") or "")
            if fact is None:
                self._say(
                    self._name,
                    f"列“{column.get('name')}”用的数据项没有在输入里声明",
                    column=str(column.get("id", "")),
                )
            else:
                columns[column["id"]] = fact
        if not columns:
            self._say(self._name, "表里没有条件列")
        self._ids()
        given = [column["field"] for column in self._table["outputs"]]
        if sorted(given) != sorted(self._contract.columns):
            self._say(
                self._name, "结果列不对，应当是 " + "、".join(FIELDS[each] for each in self._contract.columns)
            )
        return columns

    def _ids(self) -> None:
        both = (*self._table["inputs"], *self._table["outputs"])
        ids = [column["id"] for column in both]
        if len(set(ids)) != len(ids) or not all(NUMBER.fullmatch(i) for i in ids):
            self._say(self._name, "有两列的编号相同，或编号不对")
        for column in both:
            extra = {key for key, value in column.items() if value not in (None, "") and key not in _COLUMN}
            if extra or column.get("type", "expression") != "expression":
                self._say(self._name, f"列“{column.get('name')}”有看不懂的设置", column=column["id"])

    def _row(self, number: int, rule: Mapping[str, Any], columns: Mapping[str, Fact]) -> coverage.Row:
        """Check one row; what it matches, as boxes over the table's facts."""
        place, row = f"{self._name} 第 {number} 行", str(rule["_id"])
        both = (*self._table["inputs"], *self._table["outputs"])
        ids = {column["id"] for column in both}
        extra = [key for key in rule if key not in ids and key not in ("_id", "_description")]
        if extra:
            self._say(place, f"有一格不属于任何列：{extra[0]}", row=row)
        under = {fact.name: expressions.domain(fact) for fact in columns.values()}
        over = dict(under)
        filled: list[str] = []
        for column, fact in columns.items():
            cell = rule.get(column, "")
            if not isinstance(cell, str):
                self._say(place, f"{fact.label} 这一格不是文字", row=row, column=column)
            elif cell:
                filled.append(fact.name)
                surely, maybe = self._condition(f"{place} {fact.label}", cell, fact, row, column)
                under[fact.name] = regions.meet(under[fact.name], surely)
                over[fact.name] = regions.meet(over[fact.name], maybe)
        if not filled and self._contract.conditions:
            self._say(place, "没有条件，会对每个人生效", row=row)
        elif not all(over.values()) and len(set(filled)) < len(filled):
            self._say(place, "同一个数据项的两个条件不能同时成立，永远不会生效", row=row)
        output = [
            self._output(place, column, rule.get(column["id"], ""), row) for column in self._table["outputs"]
        ]
        key = next(
            (
                o
                for o, c in zip(output, self._table["outputs"], strict=True)
                if c["field"] == self._contract.key
            ),
            "",
        )
        return coverage.Row(
            row, tuple(sorted(set(filled))), tuple(under.values()), tuple(over.values()), key, tuple(output)
        )

    def _condition(self, place: str, cell: str, fact: Fact, row: str, column: str) -> tuple[Span, Span]:
        self.used.add(fact.name)
        try:
            found = expressions.condition(cell, fact, self._known)
        except expressions.Unfit as unfit:
            self._say(place, str(unfit), row=row, column=column)
            return (), ()
        self.used |= found.names
        if not found.over:
            self._say(place, "超出这个数据项的范围，永远不会生效", row=row, column=column)
        return found.under, found.over

    def _output(self, place: str, column: Mapping[str, Any], cell: Any, row: str) -> str:
        """Check a result cell; the text it gives, or the sum as it is written."""
        field = column["field"]
        where = f"{place} {FIELDS.get(field, column['name'])}"
        kind = self._contract.columns.get(field)

        def say(sentence: str) -> None:
            self._say(where, sentence, row=row, column=column["id"])

        try:
            if kind == "number":
                self.used |= expressions.amount(cell, self._known)
                return str(cell)
            text = expressions.literal(cell)
        except expressions.Unfit as unfit:
            say(str(unfit))
            return ""
        if isinstance(kind, tuple) and text not in kind:
            say(f"只能是 {'、'.join(WORDS.get(each, each) for each in kind)}")
        if field in ("code", self._contract.key) and not IDENTIFIER.fullmatch(text):
            say("代码只能用字母、数字和下划线")
        if field in ("text", "label") and not text.strip():
            say("要写一句给客户看的话")
        for wrong in self._placeholders(field, text):
            say(wrong)
        return text

    def _placeholders(self, field: str, text: str) -> list[str]:
        wrong = []
        names = _PLACEHOLDER.findall(text)
        for name in names:
            fact = self._known.get(name)
            if field not in ("text", "advice") or fact is None or fact.source == logic.LOCAL:
                told = facts.catalogue()[name].label if name in facts.catalogue() else name
                wrong.append(f"{{{told}}} 不是声明过的数据项")
            self.used.add(name)
        if text.count("{") != len(names) or text.count("{") != text.count("}"):
            wrong.append("花括号没有成对")
        return wrong
