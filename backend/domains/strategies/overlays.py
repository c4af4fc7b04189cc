"""What head office opens, what a county may set in it, and the document that comes of it (N4, A3-34).

The county's document holds only what the county adds: its own rows, and for each parameter it set the row of the
union's document with the tighter number. It runs beside the union's (`decision/county.py`), so nothing here could
make an answer looser; still a number in the wrong direction is refused, with a customer as the example.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.domains.decision import county
from backend.domains.decision import facts as decision_facts
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import cells, computing, ways
from backend.domains.strategies.model import (
    CountyContent,
    Document,
    Finding,
    Parameter,
    UnionContent,
)

_COMPARISON = re.compile(r"\s*(<=|>=|<|>)\s*(-?\d+)\s*")
_NUMBER = re.compile(r"\s*(-?\d+)\s*")
_ROW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,50}", re.ASCII)
PRICE_BAND = "县行加减点"
SET = "-county"
"""Behind the id of head office's row, in a composed document, that carries the county's number."""
AGAINST = {"decline": "拒绝", "refer": "转人工"}
WARNS = {"watch": "列入关注", "call": "要求电话核实", "visit": "要求上门核实", "freeze": "冻结额度"}
TIGHTER: dict[Stage, str] = {
    Stage.MARKETING_GATE: "省联社的规则照走，本行加的只会让更少的人被联系",
    Stage.PRE_SCREEN: "省联社的规则照走，本行加的只会多转人工或多拒绝",
    Stage.DRAWDOWN_CHECK: "省联社的规则照走，本行加的只会多核实或多拒绝",
    Stage.EARLY_WARNING: "省联社的规则照走，两层的预警都算，按最重的一个办",
    Stage.COLLECTION: (
        "催收的“更严”是对客户更缓：本行的做法更轻、方式更不打扰才采用，间隔取两层里更长的；"
        "比省联社更重的不采用。省联社不联系的，本行也不能联系"
    ),
}
"""What a county's layer can do at the stages outside a decision, in a person's words (`decision/county_moments.py`)."""


def against(stage: Stage) -> dict[str, str]:
    """Results that count against the customer, as people say them; only their rows may be opened."""
    return WARNS if stage is Stage.EARLY_WARNING else AGAINST


def tables(document: Document) -> dict[str, Any]:
    """Decision tables of a document by node id: the nodes as they are."""
    return {node["id"]: node for node in document["nodes"] if node["type"] == "decisionTableNode"}


class Spot:
    """Where a parameter points to in the union's document. Raises `LookupError` when nothing is there."""

    def __init__(self, stage: Stage, document: Document, parameter: Parameter, known: Catalogue) -> None:
        self.known = known
        self.node = tables(document)[parameter.table]
        table = self.node["content"]
        self.rule = next(r for r in table["rules"] if r["_id"] == parameter.row)
        self.number = [r["_id"] for r in table["rules"]].index(parameter.row) + 1
        outputs = {column["id"]: column["field"] for column in table["outputs"]}
        inputs = {column["id"]: column["field"] for column in table["inputs"]}
        self.cell = str(self.rule[parameter.column])
        self.fact: Fact | None = None
        if parameter.column in inputs:
            field = inputs[parameter.column]
            around = known if field in known else computing.words(document, parameter.table, known)
            self.fact = around[field]
        self.cap = stage is Stage.LIMIT and outputs.get(parameter.column) == "amount"
        words = {field: str(self.rule[number]).strip("'\" ") for number, field in outputs.items()}
        self.verdict = words.get("severity") or words.get("verdict") or words.get("action") or ""
        self.done = against(stage).get(self.verdict, "")
        self.place = f"{self.node['name']} 第 {self.number} 行"

    def value(self) -> tuple[str, int] | None:
        """(comparison, number) of the cell; the comparison is '' for the amount of a cap; None: neither."""
        if self.cap and (plain := _NUMBER.fullmatch(self.cell)):
            return "", int(plain[1])
        if self.fact is not None and self.done and (found := _COMPARISON.fullmatch(self.cell)):
            return found[1], int(found[2])
        return None

    def example(self, new: int) -> str:
        """A customer whom the cell with `new` would let through and the union's does not; '' when there is none."""
        found = self.value()
        assert found is not None
        operator, old = found
        if not operator:
            text = f"省联社的上限是 {_yuan(old)}，改成 {_yuan(new)} 就放宽了"
            return text if new > old else ""
        assert self.fact is not None
        low, high = _matching(operator, old, self.fact)
        new_low, new_high = _matching(operator, new, self.fact)
        missed = low if low < new_low else high if high > new_high else None
        if missed is None or low > high:
            return ""
        told = decision_facts.spoken(self.fact, missed)
        now = f"{cells.SAID[operator]} {decision_facts.spoken(self.fact, new)}"
        return f"{self.fact.label}是 {told} 的客户，省联社会{self.done}，改成{now} 以后就不会了"

    @property
    def unit(self) -> str:
        """fen, bp or int, of the number a county may set."""
        return "fen" if self.cap or self.fact is None else self.fact.kind

    @property
    def shown(self) -> str:
        """The union's own cell in Chinese."""
        column = cells.Column(id="", label="", kind="condition" if self.fact else "number", fact=self.fact)
        return cells.shown(self.cell.strip(), msgspec.structs.replace(column, unit=self.unit), self.known)


def _matching(operator: str, value: int, fact: Fact) -> tuple[int, int]:
    """The whole numbers of a fact's domain for which a comparison holds, as an interval."""
    return {
        "<": (fact.low, min(fact.high, value - 1)),
        "<=": (fact.low, min(fact.high, value)),
        ">": (max(fact.low, value + 1), fact.high),
        ">=": (max(fact.low, value), fact.high),
    }[operator]


def check_openings(stage: Stage, content: UnionContent, known: Catalogue) -> list[Finding]:
    """Whether what head office opens can be opened: places exist, and no end of a band is looser than its own
    number."""
    found = [
        _opening("开放的位置", _GONE_INSIDE if "/" in place else f"没有编号为 {place} 的表")
        for place in content.openings.places
        if place not in tables(content.document)
    ]
    found += _behind_computed(content, known)
    names = [each.id for each in content.openings.parameters]
    if len(set(names)) != len(names):
        found.append(_opening("开放的参数", "有两个参数的编号相同"))
    band = content.openings.price_band
    if band and (stage is not Stage.PRICING or band[0] > band[1]):
        found.append(_opening(PRICE_BAND, "只有定价可以开放加减点，下限不能高于上限"))
    elif band and not band[0] <= 0 <= band[1]:
        said = f"不加不减也要在范围里，现在的范围是 {price_band(band)}"
        found.append(_opening(PRICE_BAND, said))
    for parameter in content.openings.parameters:
        found += _check_parameter(stage, content.document, parameter, known)
    return found


_GONE_INSIDE = "有一张开放的表不在子流程里了，或用到子流程里评分卡、模型给的分，县行的行接不上，请去掉再存"


def _behind_computed(content: UnionContent, known: Catalogue) -> list[Finding]:
    """Tables that use what a model of the flow gives, or lie behind a branch by it: a county's document asks no model,
    so its row there would be asked of nobody or of everybody."""
    opened = dict.fromkeys((*content.openings.places, *(each.table for each in content.openings.parameters)))
    nodes, found = tables(content.document), []
    within = {name for where, name in computing.reachable(content.document, known.facts) if not where}
    for place in (each for each in opened if each in nodes):
        if ways.computed(content.document, place, known.facts):
            said = "在一个按评分卡、模型给的分来分的分支后面，县行的行分不出是谁，不能开放"
        elif "/" not in place and computing.hangs_on_more(nodes[place], content.document, within):
            said = "用到评分卡、模型给的分，县行的行接不上，不能开放"
        else:
            continue
        found.append(_opening(nodes[place]["name"], said, node=place))
    return found


def _check_parameter(
    stage: Stage, document: Document, parameter: Parameter, known: Catalogue
) -> list[Finding]:
    try:
        spot = Spot(stage, document, parameter, known)
    except (LookupError, StopIteration):
        return [_opening(parameter.label, "指的表、行或列不在流程图里")]
    where = {"node": parameter.table, "row": parameter.row, "column": parameter.column}
    value = spot.value()
    if value is None:
        return [_opening(parameter.label, _ONLY.get(stage, _ONLY[Stage.LIMIT]), **where)]
    lower = value[0] in ("", ">", ">=")
    if (parameter.tighter == "lower") is not lower:
        return [
            _opening(parameter.label, f"这一格是 {spot.shown}，数越{'小' if lower else '大'}才越严", **where)
        ]
    if parameter.low > parameter.high:
        return [_opening(parameter.label, "下限高于上限", **where)]
    for end in (parameter.low, parameter.high):
        if example := spot.example(end):
            said = f"{example}，所以 {amount(end, spot.unit)} 不能在可选范围里。在“向县行开放”里改范围，或把数改回去"
            return [_opening(parameter.label, said, **where)]
    said = _outside(spot, parameter, value[1])
    return [_opening(parameter.label, said, **where)] if said else []


def _outside(spot: Spot, parameter: Parameter, own: int) -> str:
    """Why a band cannot be: an end no customer could have, or head office's own number is not in it."""
    low, high = (spot.fact.low, spot.fact.high) if spot.fact else (1, 10**15)
    for end in (parameter.low, parameter.high):
        if not low <= end <= high:
            if spot.fact is None:
                return f"金额要大于 0，范围里不能有 {amount(end, spot.unit)}"
            least, most = (amount(each, spot.unit) for each in (low, high))
            return f"{spot.fact.label}只能是 {least} 到 {most}，范围里不能有 {amount(end, spot.unit)}"
    if not parameter.low <= own <= parameter.high:
        ends = " 到 ".join(amount(each, spot.unit) for each in (parameter.low, parameter.high))
        return f"省联社自己的数是 {amount(own, spot.unit)}，要在范围里，现在的范围是 {ends}"
    return ""


_ONLY = {
    Stage.LIMIT: "只能开放拒绝或转人工一行里的一个比较数，或额度表里的一个金额",
    Stage.EARLY_WARNING: "只能开放一行预警里的一个比较数",
    Stage.COLLECTION: "催收没有可以开放的数，只能开放让县行加行的表",
}


def _opening(place: str, sentence: str, **where: str) -> Finding:
    return Finding(kind="opening", place=place, sentence=sentence, **where)


def check_county(
    stage: Stage, union: UnionContent, content: CountyContent, known: Catalogue
) -> list[Finding]:
    """Everything a county set that head office did not open, or that would be looser; each with its sentence."""
    opened = {each.id: each for each in union.openings.parameters}
    found: list[Finding] = []
    if not content.parameters and not any(content.rows.values()):
        found.append(_overlay("内容", "还没有写任何规则或参数"))
    for name, value in content.parameters.items():
        if name not in opened:
            found.append(_overlay(name, "省联社没有开放这个参数"))
        else:
            found += check_value(stage, union.document, opened[name], value, known)
    for place, rows in content.rows.items():
        found += _check_rows(place, rows, union)
    return found


def check_value(
    stage: Stage, document: Document, parameter: Parameter, value: int, known: Catalogue
) -> list[Finding]:
    """What is not right about a county's number; nothing when it may be set."""
    where = {"node": parameter.table, "row": parameter.row, "column": parameter.column}
    try:
        spot = Spot(stage, document, parameter, known)
        example = spot.example(value)
    except (LookupError, StopIteration, AssertionError):
        return [_overlay(parameter.label, "省联社的这一行已经变了，请从新草稿改起", **where)]
    if example:
        return [Finding(kind="looser", place=parameter.label, sentence=example, **where)]
    if not parameter.low <= value <= parameter.high:
        low, high, now = (amount(each, spot.unit) for each in (parameter.low, parameter.high, value))
        said = f"只能在 {low} 到 {high} 之间，现在是 {now}"
        return [_overlay(parameter.label, said, **where)]
    return []


def _check_rows(place: str, rows: list[dict[str, str]], union: UnionContent) -> list[Finding]:
    nodes = tables(union.document)
    if rows and (place not in union.openings.places or place not in nodes):
        label = nodes[place]["name"] if place in nodes else place
        return [_overlay(label, "省联社没有开放在这张表里加行", node=place)]
    if not rows:
        return []
    table, found = nodes[place]["content"], []
    columns = {column["id"] for column in (*table["inputs"], *table["outputs"])}
    for number, row in enumerate(rows, 1):
        where = {"node": place, "row": row.get("_id", "")}
        label = f"{nodes[place]['name']} 本行第 {number} 行"
        if strange := sorted(key for key in row if key not in columns and key != "_id"):
            found.append(_overlay(label, f"有一格不属于任何列：{strange[0]}", **where))
        if not _ROW_ID.fullmatch(row.get("_id", "")) or row["_id"] == county.SILENT:
            found.append(_overlay(label, "行的编号只用字母、数字和 _ . -", **where))
    return found


def _overlay(place: str, sentence: str, **where: str) -> Finding:
    return Finding(kind="overlay", place=place, sentence=sentence, **where)


Cells = dict[tuple[str, str], dict[str, str]]
"""(table, row) → column → cell."""


def laid_over(document: Document, numbers: Cells, content: CountyContent, prefix: str = "") -> Document:
    """Head office's document with the county's numbers (`county_cells`) and rows in it: what applies to the county's
    customers, for reading. What decides are both layers side by side (`composing.compose`). `prefix` stands in front of
    the tables of a sub-flow."""
    nodes = []
    for node in document["nodes"]:
        if node["type"] == "decisionTableNode":
            table, place = node["content"], f"{prefix}{node['id']}"
            rules = [{**rule, **numbers.get((place, rule["_id"]), {})} for rule in table["rules"]]
            added = [whole(row, table) for row in content.rows.get(place, [])]
            added = [{**row, "_id": f"本行-{row['_id']}"} for row in added]
            node = {**node, "content": {**table, "rules": [*rules, *added]}}
        nodes.append(node)
    return {**document, "nodes": nodes}


def county_cells(stage: Stage, union: UnionContent, content: CountyContent, known: Catalogue) -> Cells:
    """The cells of head office's rows with the county's numbers in them."""
    numbers: Cells = {}
    for parameter in union.openings.parameters:
        if parameter.id in content.parameters:
            try:
                value = Spot(stage, union.document, parameter, known).value()
            except (LookupError, StopIteration):
                continue
            if value is not None:
                cell = f"{value[0]} {content.parameters[parameter.id]}".strip()
                numbers.setdefault((parameter.table, parameter.row), {})[parameter.column] = cell
    return numbers


def whole(row: Mapping[str, str], table: Mapping[str, Any]) -> dict[str, str]:
    """A county's row with a cell for each column."""
    columns = [column["id"] for column in (*table["inputs"], *table["outputs"])]
    return {"_id": row.get("_id", ""), **{column: row.get(column, "") for column in columns}}


def numbered(content: CountyContent) -> CountyContent:
    """Every row with an id of its own: `county-1`, `county-2` … where the county gave none."""
    rows: dict[str, list[dict[str, str]]] = {}
    for place, given in content.rows.items():
        taken = {row["_id"] for row in given if row.get("_id")}
        free = (f"county-{n}" for n in range(1, 10_000) if f"county-{n}" not in taken)
        rows[place] = [row if row.get("_id") else {**row, "_id": next(free)} for row in given]
    return CountyContent(parameters=content.parameters, rows=rows)


def _yuan(fen: int) -> str:
    return amount(fen, "fen")


def amount(value: int, unit: str) -> str:
    """A number as people say it: 200,000 元, 0.15%, 8."""
    if unit == "fen":
        yuan, fen = divmod(abs(value), 100)
        return f"{'-' if value < 0 else ''}{yuan:,}" + (f".{fen:02d}" if fen else "") + " 元"
    return f"{value / 100:g}%" if unit == "bp" else str(value)


def unit(union: UnionContent, parameter: Parameter) -> str:
    """fen, bp or int: what the number of a parameter counts; fen where it points nowhere."""
    try:
        return Spot(Stage.LIMIT, union.document, parameter, decision_facts.catalogue()).unit
    except (LookupError, StopIteration):
        return "fen"


def set_to(stage: Stage, union: UnionContent, parameter: Parameter, value: int, known: Catalogue) -> str:
    """A county's number as its row says it: `不低于 5`, `不超过 50%`, a cap `20,000 元`."""
    try:
        spot = Spot(stage, union.document, parameter, known)
    except (LookupError, StopIteration):
        return amount(value, unit(union, parameter))
    operator = (spot.value() or ("", 0))[0]
    return f"{cells.SAID[operator]} {amount(value, spot.unit)}".strip()


def band(union: UnionContent, parameter: Parameter) -> str:
    """`2 到 4`, `10,000 元 到 300,000 元`."""
    of = unit(union, parameter)
    return f"{amount(parameter.low, of)} 到 {amount(parameter.high, of)}"


def price_band(points: tuple[int, int] | None) -> str:
    return f"{points[0] / 100:+g}% 到 {points[1] / 100:+g}%" if points else "不开放"


def opened_cells(union: UnionContent, stage: Stage, known: Catalogue) -> list[tuple[Parameter, str]]:
    """(parameter, the union's own cell in Chinese), for the form a county fills in."""
    found = []
    for parameter in union.openings.parameters:
        try:
            found.append((parameter, Spot(stage, union.document, parameter, known).shown))
        except (LookupError, StopIteration):
            continue
    return found
