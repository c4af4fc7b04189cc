"""Sums in cells as a risk officer reads and writes them: 取整(100,000 元 + 【折算后的金融资产】 × 80%) (A3-33).

The engine counts fen and hundredths of a percent; a person writes 元 and %. What a number in a sum stands for follows
from its place: added to an amount it is an amount, multiplied with one it is a share. Where that cannot be told, or
the sum would not come back to the very same bytes, `say` gives None and the page shows the engine's own text.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import msgspec

from backend.core.plain_text import narrow
from backend.domains.decision.facts import Catalogue

MONEY, RATE, PLAIN = "fen", "bp", ""
_CALLS = {"floor": "取整", "ceil": "进整", "abs": "绝对值", "min": "最小", "max": "最大"}
_LISTS = ("min", "max")
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_ENGINE = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<op>[-+*/()\[\],]))", re.ASCII
)
_PEOPLE = re.compile(
    r"\s*(?:【(?P<name>[^【】]*)】|(?P<call>取整|进整|绝对值|最小|最大)(?=\s*[(（])"
    r"|(?P<number>\d[\d,，]*(?:\.\d+)?)\s*(?P<unit>万元|万|元|%|％)?|(?P<op>[-+*/()（）、×÷−－]))",
    re.ASCII,
)
_OUTSIDE = re.compile(r"[^【】]+(?=【|$)")
"""What is no name of a fact in its brackets."""
_SIGNED = re.compile(r"[-+*/×÷−－【]|(?:取整|进整|绝对值|最小|最大)\s*[(（]")
_PLAIN_OP = {"×": "*", "÷": "/", "−": "-", "－": "-", "（": "(", "）": ")", "、": ","}
_DEEPEST, _LONGEST, _DIGITS = 30, 80, 15  # brackets in brackets, words of a sum, digits of a number


class Unsaid(Exception):
    """It is no sum we can say; the text tells a person why."""


class Node(msgspec.Struct, frozen=True):
    """`kind`: number | name | neg | group | call | sum | product. `text` the number as written, the fact's name, the
    function, or the operator; `unit` a person's mark behind a number."""

    kind: str
    text: str = ""
    parts: tuple["Node", ...] = ()
    unit: str = ""


def say(cell: str, unit: str, known: Catalogue) -> str | None:
    """An engine's sum in words; None when it has no form that reads back to the same bytes."""
    try:
        said = _text(_parse(_engine_tokens(cell)), unit, known, _say_number, _SAYING, known)
        return said if read(said, unit, known) == cell else None
    except (Unsaid, InvalidOperation):
        return None


def read(text: str, unit: str, known: Catalogue) -> str:
    """A person's sum as the engine's. Raises `Unsaid`."""
    tree = _parse(_people_tokens(text, known))
    return _text(tree, unit, known, _read_number, _WRITING, known)


def unit_of(cell: str, known: Catalogue) -> str:
    """The unit an engine's sum has by itself: fen, bp, or '' for a plain number and for what is no sum."""
    try:
        return _natural(_parse(_engine_tokens(cell)), known) or PLAIN
    except (Unsaid, InvalidOperation):
        return PLAIN


def unit_meant(text: str, known: Catalogue) -> str:
    """The unit a person's sum has by its names and marks, '' for a plain number. Raises `Unsaid`."""
    return _natural(_parse(_people_tokens(text, known)), known) or PLAIN


def looks_like_one(text: str) -> bool:
    """Whether a person meant a sum: it has a sign or a function in it."""
    return bool(_SIGNED.search(text))


Token = tuple[str, str, str]
"""(number | name | call | op | end, text, unit)"""


def _engine_tokens(cell: str) -> list[Token]:
    found: list[Token] = []
    for match in _matches(_ENGINE, cell):
        kind, text = str(match.lastgroup), match[match.lastgroup or ""]
        found.append(("call" if kind == "name" and text in _CALLS else kind, text, ""))
    return found


def _people_tokens(text: str, known: Catalogue) -> list[Token]:
    names = {fact.label: fact.name for fact in reversed(known.facts.values())}
    calls = {said: name for name, said in _CALLS.items()}
    found: list[Token] = []
    for match in _matches(_PEOPLE, _OUTSIDE.sub(lambda part: narrow(part[0]), text)):
        if match["name"] is not None:
            if (label := match["name"].strip()) not in names and label not in known:
                raise Unsaid(f"没有叫“{label[:20]}”的数据项")
            found.append(("name", names.get(label, label), ""))
        elif match["call"]:
            found.append(("call", calls[match["call"]], ""))
        elif match["number"]:
            number = match["number"].replace(",", "").replace("，", "")
            found.append(("number", number, (match["unit"] or "").replace("％", "%")))
        else:
            found.append(("op", _PLAIN_OP.get(match["op"], match["op"]), ""))
    return found


def _matches(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            said = text[at:].strip()[:12]
            raise Unsaid(f"看不懂“{said}”：要写数字，或一个登记过的数据项的名字，算式里写成【名字】")
        if len(match["number"] or "") > _DIGITS or len(found) >= _LONGEST:
            raise Unsaid("这个算式太长，或里面的数太大")
        found.append(match)
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "", "")

    def take(self, *texts: str) -> str:
        kind, text, _ = self.peek()
        if kind == "op" and text in texts:
            self._at += 1
            return text
        return ""

    def need(self, text: str) -> None:
        if not self.take(text):
            raise Unsaid("算式里的括号没有写完整")

    def sum(self) -> Node:
        found = self.product()
        while sign := self.take("+", "-"):
            found = Node("sum", sign, (found, self.product()))
        return found

    def product(self) -> Node:
        found = self.factor()
        while sign := self.take("*", "/"):
            found = Node("product", sign, (found, self.factor()))
        return found

    def factor(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unsaid("算式的括号套得太深")
        found = self._factor()
        self._depth -= 1
        return found

    def _factor(self) -> Node:
        if self.take("-"):
            return Node("neg", "-", (self.factor(),))
        if self.take("("):
            inside = self.sum()
            self.need(")")
            return Node("group", "", (inside,))
        kind, text, unit = self.peek()
        self._at += 1
        if kind in ("number", "name"):
            return Node(kind, text, (), unit)
        if kind == "call":
            return self._call(text)
        raise Unsaid("这个算式没有写完")

    def _call(self, name: str) -> Node:
        self.need("(")
        listed = name in _LISTS
        bracket = listed and self.take("[")
        parts = [self.sum()]
        while listed and self.take(","):
            parts.append(self.sum())
        if bracket:
            self.need("]")
        self.need(")")
        return Node("call", name, tuple(parts))


def _parse(tokens: list[Token]) -> Node:
    reader = _Reader(tokens)
    tree = reader.sum()
    if reader.peek()[0] != "end":
        raise Unsaid(f"“{reader.peek()[1]}”后面看不懂")
    return tree


def _natural(node: Node, known: Catalogue) -> str | None:
    """The unit a sum has by itself; None for bare numbers, which have the unit of their place."""
    if node.kind == "number":
        return {"元": MONEY, "万元": MONEY, "万": MONEY}.get(node.unit)
    if node.kind == "name":
        if node.text not in known:
            raise Unsaid(f"没有叫“{node.text}”的数据项")
        kind = known[node.text].kind
        return kind if kind in (MONEY, RATE) else PLAIN
    several = [_natural(part, known) for part in node.parts]
    if node.kind != "product":
        return next((each for each in several if each is not None), None)
    first, second = several
    if node.text == "/":
        if second in (MONEY, RATE) and first != second:
            raise Unsaid("除号两边的单位不一样，请换一种写法")
        return PLAIN if second in (MONEY, RATE) else first
    if first in (MONEY, RATE) and second in (MONEY, RATE):
        raise Unsaid("两个金额或百分数不能相乘，请换一种写法")
    return first if first in (MONEY, RATE) else second if second in (MONEY, RATE) else (first and second)


Number = Callable[[Node, str, bool], str]


class _Spelling(msgspec.Struct, frozen=True):
    name: Callable[[str, Catalogue], str]
    signs: dict[str, str]
    calls: dict[str, tuple[str, str, str]]  # before, between, behind


_SAYING = _Spelling(
    lambda name, known: f"【{known[name].label}】",
    _SIGNS,
    {name: (f"{said}(", "、", ")") for name, said in _CALLS.items()},
)
_WRITING = _Spelling(
    lambda name, _: name,
    {sign: sign for sign in _SIGNS},
    {n: (f"{n}([", ", ", "])") if n in _LISTS else (f"{n}(", ", ", ")") for n in _CALLS},
)


def _text(
    node: Node,
    unit: str,
    known: Catalogue,
    number: Number,
    spelling: _Spelling,
    names: Catalogue,
    share: bool = False,
) -> str:
    """`share`: the number stands where a share of something would."""

    def down(part: Node, unit: str, share: bool = False) -> str:
        return _text(part, unit, known, number, spelling, names, share)

    natural = _natural(node, known)
    if node.kind == "number":
        return number(node, unit, share)
    if node.kind == "product":
        return _product(node, unit, known, spelling, down)
    if natural is not None and natural != unit and node.kind == "name":
        raise Unsaid("算式里加减的两边单位不一样，请换一种写法")
    if node.kind == "name":
        return spelling.name(node.text, names)
    if node.kind == "neg":
        return f"{spelling.signs['-']}{down(node.parts[0], unit)}"
    if node.kind == "group":
        return f"({down(node.parts[0], unit)})"
    if node.kind == "call":
        before, between, behind = spelling.calls[node.text]
        return before + between.join(down(part, unit) for part in node.parts) + behind
    first, second = node.parts
    return f"{down(first, unit)} {spelling.signs[node.text]} {down(second, unit)}"


def _product(node: Node, unit: str, known: Catalogue, spelling: _Spelling, down: Callable[..., str]) -> str:
    first, second = node.parts
    one, other = _natural(first, known), _natural(second, known)
    if node.text == "/":
        both = other in (MONEY, RATE)
        units = ((other or PLAIN), (other or PLAIN)) if both else (unit, PLAIN)
        if both and unit != PLAIN:
            raise Unsaid("金额除以金额是一个比例，不能当金额用")
        shares = (False, False)
    elif one == unit or (one is None and other not in (unit, None)):
        units, shares = (unit, other or PLAIN), (unit == PLAIN, True)
    elif other == unit or other is None:
        units, shares = ((one or PLAIN), unit), (True, unit == PLAIN)
    else:
        raise Unsaid("算式的单位对不上，请换一种写法")
    if one is None and other is None and node.text == "*":
        units, shares = (unit, PLAIN), (False, True)
    return (
        f"{down(first, units[0], shares[0])} {spelling.signs[node.text]} {down(second, units[1], shares[1])}"
    )


def _say_number(node: Node, unit: str, share: bool) -> str:
    value = Decimal(node.text)
    if unit == MONEY:
        yuan = _short(value / 100)
        return f"{yuan:,.2f} 元" if yuan == round(yuan, 2) != round(yuan) else f"{yuan:,f} 元"
    if unit == RATE:
        return f"{_short(value / 100):f}%"
    if share and "." in node.text and value < 10:
        said = f"{_short(value * 100):f}%"
        return (
            said if _read_number(Node("number", said[:-1], (), "%"), unit, share) == node.text else node.text
        )
    return node.text


def _read_number(node: Node, unit: str, _: bool) -> str:
    value = Decimal(node.text)
    if unit == MONEY:
        if node.unit == "%":
            raise Unsaid("这里要写金额，不是百分数")
        return f"{_short(value * (1_000_000 if '万' in node.unit else 100)):f}"
    if node.unit in ("元", "万元", "万"):
        raise Unsaid("这里不是金额")
    if unit == RATE:
        return f"{_short(value * 100):f}"
    if node.unit == "%":
        text = f"{_short(value / 100):f}"
        return text if "." in text else f"{text}.0"
    return node.text


def _short(value: Decimal) -> Decimal:
    """Without zeros behind the last digit that counts."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
