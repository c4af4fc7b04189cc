"""The part of zen's expression language our tables may use, parsed and typed by ourselves.

zen compiles far more than is safe: unknown names are null, a division by zero is null, text compares with
numbers, and a cell that fails at run time is skipped in silence. So a cell must first make sense here: known
names, one type, no division but by a number, no clock, no chance, no script.
"""

import re
from collections.abc import Mapping

import msgspec
import zen

from backend.domains.decision.facts import Fact

NUMBER, BOOL, TEXT = "number", "bool", "text"
_KINDS = {"int": NUMBER, "fen": NUMBER, "bp": NUMBER, "bool": BOOL, "enum": TEXT}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.]*\w)|(?P<number2>\d+)(?=\.\.)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<op>\.\.|[<>=!]=|[<>]|[-+*/()\[\],]))",
    re.ASCII,
)
_FUNCTIONS = {"floor": 1, "ceil": 1, "abs": 1, "min": 0, "max": 0}
"""Name to number of arguments; 0 stands for one list of numbers."""


class Unfit(Exception):
    """A cell we do not let through; the text says why, in Chinese, for the person who wrote it."""


class Condition(msgspec.Struct, frozen=True):
    """A condition on a column. `intervals` (closed, whole numbers) when it is one of literals on a number."""

    intervals: tuple[tuple[float, float], ...] | None
    names: frozenset[str]


def condition(cell: str, column: Fact, known: Mapping[str, Fact]) -> Condition:
    """Read the cell of an input column. Raises `Unfit`."""
    parser = _Parser(cell, known)
    kind = _kind_of(column)
    found = parser.condition(kind, column)
    parser.end()
    _compile(cell, unary=True)
    return Condition(found, frozenset(parser.names))


def amount(cell: str, known: Mapping[str, Fact]) -> frozenset[str]:
    """Read an output cell that must give a number; the names it uses. Raises `Unfit`."""
    parser = _Parser(cell, known)
    if parser.expression() != NUMBER:
        raise Unfit("这里要写一个数字或算式")
    parser.end()
    _compile(cell, unary=False)
    return frozenset(parser.names)


def literal(cell: str) -> str:
    """Read an output cell that must be a fixed text; the text. Raises `Unfit`."""
    match = re.fullmatch(r"\s*(?:'([^'\\]*)'|\"([^\"\\]*)\")\s*", cell)
    if match is None:
        raise Unfit("这里要写一段带引号的文字")
    _compile(cell, unary=False)
    return match[1] if match[1] is not None else match[2]


def _compile(cell: str, *, unary: bool) -> None:
    try:
        zen.compile_unary_expression(cell) if unary else zen.compile_expression(cell)
    except Exception as cause:
        raise Unfit("这一格写法不对，引擎读不懂") from cause


def _kind_of(fact: Fact) -> str:
    kind = _KINDS.get(fact.kind)
    if kind is None:
        raise Unfit(f"{fact.label} 是日期，规则里请用由它算出的天数或年龄")
    return kind


class _Parser:
    """Recursive descent over one cell."""

    def __init__(self, cell: str, known: Mapping[str, Fact]) -> None:
        self._tokens = _tokens(cell)
        self._at = 0
        self._known = known
        self.names: set[str] = set()

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, *texts: str) -> str:
        kind, text = self._peek()
        if kind == "op" and text in texts:
            self._at += 1
            return text
        return ""

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise Unfit(f"这里少了 {text}")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise Unfit(f"“{self._peek()[1]}” 后面看不懂，一格只写一个条件")

    # --- conditions -------------------------------------------------------------------------------------

    def condition(self, kind: str, column: Fact) -> tuple[tuple[float, float], ...] | None:
        if kind == NUMBER:
            return self._number_condition()
        if kind == BOOL:
            if self._peek() not in (("name", "true"), ("name", "false")):
                raise Unfit("这一列只能写 true 或 false")
            self._next()
            return None
        self._members(column)
        return None

    def _members(self, column: Fact) -> None:
        negated = self._accept("!=")
        while True:
            sort, text = self._next()
            if sort != "text":
                raise Unfit("这一列要写带引号的选项")
            if text not in column.members:
                raise Unfit(f"{column.label} 没有“{text}”这个选项")
            if negated or not self._accept(","):
                return

    def _number_condition(self) -> tuple[tuple[float, float], ...] | None:
        found: list[tuple[float, float] | None] = [self._one_number_condition()]
        while self._accept(","):
            found.append(self._one_number_condition())
        plain = tuple(interval for interval in found if interval is not None)
        if any(low > high for low, high in plain):
            raise Unfit("这个区间里没有数，永远不会生效")
        return plain if len(plain) == len(found) else None

    def _one_number_condition(self) -> tuple[float, float] | None:
        infinity = float("inf")
        opened = self._accept("[", "(")
        if opened:
            return self._range(opened)
        operator = self._accept("<", "<=", ">", ">=", "==", "!=")
        value = self._literal_or_number()
        if value is None or operator == "!=":
            return None
        return {
            "<": (-infinity, value - 1 if value == int(value) else value),
            "<=": (-infinity, value),
            ">": (value + 1 if value == int(value) else value, infinity),
            ">=": (value, infinity),
        }.get(operator, (value, value))

    def _range(self, opened: str) -> tuple[float, float] | None:
        low = self._literal_or_number()
        self._expect("..")
        high = self._literal_or_number()
        closed = self._accept("]", ")")
        if not closed:
            raise Unfit("区间少了右括号")
        if low is None or high is None:
            return None
        return low + (opened == "("), high - (closed == ")")

    def _literal_or_number(self) -> float | None:
        """A numeric expression; its value when it is a plain number, else None."""
        start = self._at
        if self.expression() != NUMBER:
            raise Unfit("这一列是数字，不能和文字或是否比较")
        tokens = self._tokens[start : self._at]
        sign = -1 if tokens[0] == ("op", "-") else 1
        rest = tokens[1:] if sign < 0 else tokens
        return sign * float(rest[0][1]) if len(rest) == 1 and rest[0][0] == "number" else None

    # --- expressions ------------------------------------------------------------------------------------

    def expression(self) -> str:
        kind = self._term()
        while self._accept("+", "-"):
            if kind != NUMBER or self._term() != NUMBER:
                raise Unfit("加减只能用在数字上")
        return kind

    def _term(self) -> str:
        kind = self._factor()
        while operator := self._accept("*", "/"):
            if operator == "/":
                sort, text = self._next()
                if sort != "number" or not float(text):
                    raise Unfit("除号后面只能写不是 0 的数字")
            elif self._factor() != NUMBER:
                raise Unfit("乘法只能用在数字上")
            if kind != NUMBER:
                raise Unfit("乘除只能用在数字上")
        return kind

    def _factor(self) -> str:
        if self._accept("-"):
            if self._factor() != NUMBER:
                raise Unfit("负号后面要是数字")
            return NUMBER
        if self._accept("("):
            kind = self.expression()
            self._expect(")")
            return kind
        sort, text = self._next()
        if sort == "number":
            return NUMBER
        if sort == "text":
            return TEXT
        if sort == "name":
            return self._name(text)
        raise Unfit("这一格没有写完")

    def _name(self, name: str) -> str:
        if self._peek() == ("op", "("):
            return self._call(name)
        if name in ("true", "false"):
            return BOOL
        fact = self._known.get(name)
        if fact is None:
            raise Unfit(f"没有叫“{name}”的数据项，或没有在输入里声明")
        self.names.add(name)
        return _kind_of(fact)

    def _call(self, name: str) -> str:
        if name not in _FUNCTIONS:
            raise Unfit(f"不能使用函数 {name}")
        self._expect("(")
        if _FUNCTIONS[name]:
            self._numeric()
        else:
            self._expect("[")
            self._numeric()
            while self._accept(","):
                self._numeric()
            self._expect("]")
        self._expect(")")
        return NUMBER

    def _numeric(self) -> None:
        if self.expression() != NUMBER:
            raise Unfit("函数里只能放数字")


def _tokens(cell: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(cell.rstrip()):
        match = _TOKEN.match(cell, at)
        if match is None or not match.lastgroup:
            raise Unfit(f"看不懂“{cell[at:].strip()[:12]}”")
        text = match[match.lastgroup]
        if match.lastgroup == "text":
            text = text[1:-1]
        found.append((match.lastgroup.removesuffix("2"), text))
        at = match.end()
    if not found:
        raise Unfit("这一格是空的")
    return found
