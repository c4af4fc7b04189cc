"""Cells of decision tables as a risk officer writes them: Chinese on the page, the engine's expression in the document.

`read(shown(cell)) == cell` for every cell, by construction: what has no plain Chinese form that reads back to the
very same bytes is shown as the engine's own text (`原式：…`), which reads back as it stands. So a table that goes to a
page or to Excel and comes back untouched is the same table (A3-33). Amounts are 元, rates %, in sums too
(`formulas.py`).
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from backend.core.errors import Invalid
from backend.core.plain_text import narrow
from backend.domains.decision.contracts import CONTRACTS, FIELDS, NAMES, WORDS
from backend.domains.decision.expressions import LONGEST
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import formulas

RAW = "原式："
_MARKS = (
    ("小于等于", "<="), ("小于或等于", "<="), ("大于等于", ">="), ("大于或等于", ">="),
    ("不超过", "<="), ("不高于", "<="), ("不大于", "<="), ("最多", "<="), ("≤", "<="), ("<=", "<="),
    ("不低于", ">="), ("不少于", ">="), ("不小于", ">="), ("至少", ">="), ("≥", ">="), (">=", ">="),
    ("不是", "!="), ("不等于", "!="), ("≠", "!="), ("!=", "!="),
    ("低于", "<"), ("小于", "<"), ("少于", "<"), ("＜", "<"), ("<", "<"),
    ("高于", ">"), ("大于", ">"), ("多于", ">"), ("超过", ">"), ("＞", ">"), (">", ">"),
    ("等于", "=="), ("==", "=="),
)  # fmt: skip
"""Ways to say a comparison, longer ones before the shorter they contain."""
SAID = {"<=": "不超过", ">=": "不低于", "!=": "不是", "<": "低于", ">": "高于", "==": "等于", "": ""}
_UNITS = {"amount": "fen", "bp": "bp", "pace_days": "int"}
_COUNTED = ("次", "个月", "个", "家", "笔", "天", "岁", "月", "户", "人", "年")
_NUMBER = re.compile(
    rf"(-?(?:\d{{1,3}}(?:[,，]\d{{3}})+|\d+)(?:\.\d+)?)\s*(万元|万|元|%|{'|'.join(_COUNTED)})?"
)
_COMMAS = re.compile(r"-?\d+(?:[,，]\d+)+(?:\.\d+)?\s*\D{0,2}")
_DASHED = re.compile(r"(\d[\d,.]*\D{0,2}?)\s*[-–—]\s*(\d[\d,.]*\D{0,2})")
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_COMPARISON = re.compile(r"(<=|>=|!=|==|<|>|) ?([^\s].*)")
_TEXT = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_HOLE = re.compile(r"\{([^{}]*)\}")
_LABELLED = re.compile(r"【([^【】]*)】")


class CellUnreadable(Invalid):
    code = "strategy_cell_unreadable"
    message = "{why}"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table. `kind`: condition | choice | text | name | number; `fact` for a condition; `unit` of a
    number: fen, bp or int; `choices` (word in the document, Chinese)."""

    id: str
    label: str
    kind: str
    fact: Fact | None = None
    unit: str = "int"
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> str:
        """What a whole number of its condition counts: 次, 个月, 岁; money and shares carry theirs in the cell."""
        return self.fact.unit if self.fact is not None and self.fact.kind == "int" else ""

    @property
    def hint(self) -> str:
        """How to fill it in."""
        if self.kind == "choice" or (self.fact is not None and self.fact.kind == "bool"):
            return ""
        if self.fact is not None and self.fact.kind == "enum":
            return "可选：" + "、".join(self.fact.labels or self.fact.members)
        if self.fact is not None:
            counted = f"单位{self.counts}，" if self.counts else ""
            return counted + _HINTS.get(self.fact.kind, "")
        return _SUMS.get(self.unit, "") if self.kind == "number" else ""


_HINTS = {
    "fen": "单位元，如 高于 50万元；空着是不限",
    "bp": "百分数，如 高于 50%；空着是不限",
    "int": "如 不低于 3、2 到 6；空着是不限",
}
_SUMS = {
    "fen": "单位元，如 20万元；也可以写算式，如 取整(6万元 + 【折算后的金融资产】 × 80%)",
    "bp": "百分数，如 0.15%；也可以写算式，如 −【活动优惠】",
    "int": "写一个数",
}


def counted(text: str, counts: str) -> str:
    """What stands behind a cell in words: nothing where it ends in a name, or is shown as it was written."""
    return counts if text[-1:].isdecimal() and not text.startswith(RAW) else ""


def columns(stage: Stage, table: Mapping[str, Any], known: Catalogue) -> list[Column]:
    """Columns of a decision table in their order, conditions first."""
    found = []
    for column in table["inputs"]:
        fact = known.facts.get(column.get("field") or "")
        label = fact.label if fact else str(column.get("name", ""))
        found.append(Column(id=column["id"], label=label, kind="condition", fact=fact))
    for column in table["outputs"]:
        field = column["field"]
        kind = "name" if field in ("cap", "part") else CONTRACTS[stage].columns.get(field, "text")
        label = FIELDS.get(field, str(column.get("name", "")))
        if isinstance(kind, tuple):
            choices = tuple((word, WORDS.get(word, word)) for word in kind)
            found.append(Column(id=column["id"], label=label, kind="choice", choices=choices))
        else:
            found.append(Column(id=column["id"], label=label, kind=kind, unit=_UNITS.get(field, "int")))
    return found


def shown(cell: str, column: Column, known: Catalogue) -> str:
    """The cell in Chinese; `read` gives the same cell back."""
    if len(cell) > LONGEST:
        return RAW + cell
    try:
        said = _say(cell, column, known)
        if said is not None and read(said, column, known) == cell:
            return said
    except CellUnreadable:
        pass
    labelled = RAW + _NAME.sub(lambda m: f"【{known[m[0]].label}】" if m[0] in known else m[0], cell)
    try:
        return labelled if read(labelled, column, known) == cell else RAW + cell
    except CellUnreadable:
        return RAW + cell


def read(text: str, column: Column, known: Catalogue) -> str:
    """What a person wrote as the document's cell. Raises `CellUnreadable` with what is not understood."""
    require_short(text)
    if text.startswith((RAW, "原式:")):
        return _LABELLED.sub(lambda m: _named(m[1], known), text[len(RAW) :])
    if column.kind == "condition":
        return _read_condition(text.strip(), column, known)
    if column.kind == "choice":
        return _quoted(_chosen(text.strip(), column.choices, column.label))
    if column.kind == "number":
        return _read_bound(narrow(text.strip()), column.unit, known)
    if column.kind == "name":
        return _quoted(next((name for name, said in NAMES.items() if said == text.strip()), text))
    return _quoted(_HOLE.sub(lambda m: "{" + _named(m[1], known) + "}", text))


def require_short(text: str) -> None:
    """Before any pattern looks at it: a paste of 20 kB held the process for seconds. Raises `CellUnreadable`."""
    if len(text) > LONGEST + len(RAW):
        raise CellUnreadable(why=f"一格最多写 {LONGEST:,} 个字，拆成几行再写")


def _say(cell: str, column: Column, known: Catalogue) -> str | None:
    if column.kind == "condition":
        return _say_condition(cell, column.fact, known)
    if column.kind == "number":
        return _say_bound(cell, column.unit, known)
    inside = _TEXT.fullmatch(cell)
    if inside is None:
        return None
    text = inside[1] if inside[1] is not None else inside[2]
    if column.kind == "choice":
        return dict(column.choices).get(text)
    if column.kind == "name":
        return NAMES.get(text, text)
    return _HOLE.sub(lambda m: "{" + (known[m[1]].label if m[1] in known else m[1]) + "}", text)


def _say_condition(cell: str, fact: Fact | None, known: Catalogue) -> str | None:
    if not cell:
        return ""
    if fact is None:
        return None
    if fact.kind == "bool":
        return {"true": "是", "false": "否"}.get(cell)
    if fact.kind == "enum":
        denied = cell.startswith("!= ")
        members = [m[1] if m[1] is not None else m[2] for m in _TEXT.finditer(cell)]
        labels = [_label(fact, member) for member in members]
        return ("不是 " if denied else "") + "、".join(labels)
    parts = [_say_one(part, fact, known) for part in cell.split(", ")]
    return None if None in parts else " 或 ".join(part or "" for part in parts)


def _say_one(part: str, fact: Fact, known: Catalogue) -> str | None:
    first_end, dots, second_end = part[1:-1].rpartition("..")
    if dots and part[0] in "[(" and part[-1] in "])":
        low, high = (_say_bound(each, fact.kind, known) for each in (first_end, second_end))
        if low is None or high is None:
            return None
        if (part[0], part[-1]) == ("[", "]"):
            return f"{low} 到 {high}"
        first = "不低于" if part[0] == "[" else "高于"
        return f"{first} {low} 且 {'不超过' if part[-1] == ']' else '低于'} {high}"
    found = _COMPARISON.fullmatch(part)
    bound = _say_bound(found[2], fact.kind, known) if found else None
    return f"{SAID[found[1]]} {bound}".strip() if found and bound is not None else None


def _say_bound(text: str, kind: str, known: Catalogue) -> str | None:
    if _INTEGER.fullmatch(text):
        value = int(text)
        if kind == "fen":
            sign, (yuan, fen) = "-" if value < 0 else "", divmod(abs(value), 100)
            return f"{sign}{yuan:,}" + (f".{fen:02d}" if fen else "") + " 元"
        return f"{Decimal(value) / 100:f}%" if kind == "bp" else text
    return known[text].label if text in known else formulas.say(text, _unit(kind), known)


def _unit(kind: str) -> str:
    """What a sum in a cell of this kind gives."""
    return kind if kind in ("fen", "bp") else formulas.PLAIN


def _label(fact: Fact, member: str) -> str:
    return fact.labels[fact.members.index(member)] if fact.labels and member in fact.members else member


def _read_condition(text: str, column: Column, known: Catalogue) -> str:
    fact = column.fact
    if text in ("", "不限", "-", "–"):
        return ""
    if fact is None:
        raise CellUnreadable(why=f"“{column.label}”不是登记过的数据项，只能写原式")
    if fact.kind == "bool":
        return _chosen(text, (("true", "是"), ("false", "否")), column.label)
    if fact.kind == "enum":
        pairs = tuple(zip(fact.members, fact.labels or fact.members, strict=True))
        whole = any(text in pair for pair in pairs)  # a choice may itself begin with 不是
        denied, rest = (True, text[2:]) if text.startswith("不是") and not whole else (False, text)
        chosen = [_chosen(each.strip(), pairs, column.label) for each in re.split(r"、|，|,| 或 ", rest)]
        return ("!= " if denied else "") + ", ".join(f"'{each}'" for each in chosen)
    plain = narrow(text)
    return ", ".join(
        _read_one(part.strip(), fact.kind, known) for part in re.split(r"(?<=\s)或|，或|；", plain)
    )


def _read_one(text: str, kind: str, known: Catalogue) -> str:
    """A comparison, else a range: the names of facts may hold the words of ranges. 以上 and 以下 hold the number."""
    if (dashed := _DASHED.fullmatch(text)) is not None:
        text = f"{dashed[1]} 到 {dashed[2]}"
    for said, mark in (("以上", "不低于"), ("以下", "不超过")):
        if text.endswith(said) and text[:1].isdigit():
            text = f"{mark} {text.removesuffix(said).rstrip('及或 ')}"
    try:
        operator, bound = _compared(text, kind, known)
    except CellUnreadable as cause:
        if (found := _read_range(text, kind, known)) is None:
            raise cause
        return found
    return f"{operator} {bound}".strip()


def _read_range(text: str, kind: str, known: Catalogue) -> str | None:
    """None: no range at all."""
    if len(ends := [each.strip() for each in text.split("且")]) == 2:
        (low, first), (high, second) = (_compared(each, kind, known) for each in ends)
        if low not in (">", ">=") or high not in ("<", "<="):
            raise CellUnreadable(why="“且”的前面写下限，后面写上限，如 不低于 3 且 低于 6")
        return f"{'[' if low == '>=' else '('}{first}..{second}{']' if high == '<=' else ')'}"
    if len(ends := [each.strip() for each in re.split(r"[到至~～]", text)]) == 2 and all(ends):
        low_end, high_end = (_read_bound(each, kind, known) for each in ends)
        return f"[{low_end}..{high_end}]"
    return None


def _compared(text: str, kind: str, known: Catalogue) -> tuple[str, str]:
    for said, operator in _MARKS:
        if text == said:
            raise CellUnreadable(why=f"“{said}”后面还要写一个数")
        if text.startswith(said):
            return operator, _read_bound(text[len(said) :].strip(), kind, known)
    return "", _read_bound(text, kind, known)


def _read_bound(text: str, kind: str, known: Catalogue) -> str:
    """A number in its unit as fen, basis points or as it is; or a fact's name."""
    found = _NUMBER.fullmatch(text)
    if found is None and _COMMAS.fullmatch(text):
        raise CellUnreadable(why=f"“{text}”：逗号要三位一分，如 12,000，或者不写逗号")
    if found is None:
        return _sum(text, kind, known)
    try:
        value = Decimal(found[1].replace(",", "").replace("，", ""))
    except InvalidOperation as cause:
        raise CellUnreadable(why=f"“{text}”不是一个数") from cause
    unit = found[2] or ""
    if unit == "%" and kind != "bp":
        raise CellUnreadable(why=f"“{text}”：这里不是百分数")
    if "元" in unit and kind != "fen":
        raise CellUnreadable(why=f"“{text}”：这里不是金额")
    if unit in _COUNTED and kind in ("fen", "bp"):
        raise CellUnreadable(why=f"“{text}”：这里{'是金额' if kind == 'fen' else '是百分数'}，不写“{unit}”")
    value *= (10_000 if "万" in unit else 1) * (100 if kind in ("fen", "bp") else 1)
    if abs(value) >= 10**15:
        raise CellUnreadable(why=f"“{text}”太大了")
    if value != value.to_integral_value():
        smallest = {"fen": "分", "bp": "0.01%"}.get(kind, "个位")
        raise CellUnreadable(why=f"“{text}”只能写到{smallest}")
    return str(int(value))


def _sum(text: str, kind: str, known: Catalogue) -> str:
    """A fact's name, else a sum."""
    text = text.removeprefix("公式：").strip()
    try:
        return _named(text.strip("【】 "), known)
    except CellUnreadable as cause:
        if not formulas.looks_like_one(text):
            raise
        try:
            return formulas.read(text, _unit(kind), known)
        except formulas.Unsaid as why:
            raise CellUnreadable(why=str(why)) from cause


def _chosen(text: str, pairs: tuple[tuple[str, str], ...], label: str) -> str:
    for word, said in pairs:
        if text in (said, word):
            return word
    told = "、".join(said for _, said in pairs[:12])
    raise CellUnreadable(why=f"{label}没有“{text}”这个选项，可选 {told}" if text else f"{label}还没有选")


def _named(label: str, known: Catalogue) -> str:
    """The name of a fact by its label; a name stays."""
    if label in known:
        return label
    name = next((each.name for each in known.facts.values() if each.label == label.strip()), None)
    if name is None:
        raise CellUnreadable(why=f"看不懂“{label[:20]}”：要写数字，或一个登记过的数据项的名字")
    return name


def _quoted(text: str) -> str:
    if "\\" in text or ("'" in text and '"' in text):
        raise CellUnreadable(why="这句话里有反斜线，或同时有单双引号，换成中文引号")
    return f'"{text}"' if "'" in text else f"'{text}'"
