"""The part of zen's expression language our documents may use, parsed and typed by ourselves.

zen compiles far more than is safe: unknown names are null, a division by zero is null, text compares with
numbers, and a cell that fails at run time is skipped in silence. So a cell must first make sense here: known
names, one type, no division by what may be zero, no clock, no chance, no script. From the ranges of the facts
follows what a condition surely holds of and what it may hold of (`Condition.under` and `over`).
"""

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import msgspec
import zen

from backend.domains.decision import facts, regions
from backend.domains.decision.facts import Fact
from backend.domains.decision.regions import Span

NUMBER, BOOL, TEXT = "number", "bool", "text"
_KINDS = {"int": NUMBER, "fen": NUMBER, "bp": NUMBER, "bool": BOOL, "enum": TEXT}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.]*\w)|(?P<number2>\d+)(?=\.\.)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<op>\.\.|[<>=!]=|[<>]|[-+*/()\[\],?:]))",
    re.ASCII,
)
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
)
"""Control characters and blanks Python and zen disagree about: a cell of U+001C looks empty and never matches."""
_FUNCTIONS = {"floor": 1, "ceil": 1, "abs": 1, "min": 0, "max": 0}
"""Name to number of arguments; 0 stands for one list of numbers."""
WORDS = frozenset({"true", "false", "null", "and", "or", "not", "in", *_FUNCTIONS})
"""Names a document may not give to something of its own."""
_LARGEST = Fraction(10**27)
"""zen's decimals hold 28 digits."""
EXACT = 2**53 - 1
"""Whole numbers up to here leave zen unchanged."""
_DEEPEST = 40
"""Nested brackets; nobody reads more."""
LONGEST = 2_000
"""Characters of a cell. Ranges are exact fractions, whose digits grow with every division: the work grows with the
square of the length, and a megabyte of `7/7/7…` would hold the process for minutes."""


class Unfit(Exception):
    """A cell we do not let through; the text says why, in Chinese, for the person who wrote it."""


class Typed(msgspec.Struct, frozen=True):
    """What an expression gives: its kind, and for numbers the range it stays in; `fact` when it is just one.

    `claim` is what is known of when a truth value holds (`logic.Claim`).
    """

    kind: str
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    whole: bool = True
    fact: Fact | None = None
    claim: Any = None


class Condition(msgspec.Struct, frozen=True):
    """A condition on a column: values it surely holds of, and values it may hold of. Equal without other facts."""

    under: Span
    over: Span
    names: frozenset[str]


def unknown(name: str) -> str:
    """What is said of a name nobody declared; a fact of the catalogue by its label."""
    known = facts.catalogue()
    if name in known:
        return f"“{known[name].label}”没有在输入里声明"
    return f"没有叫“{name}”的数据项，或没有在输入里声明"


def condition(cell: str, column: Fact, known: Mapping[str, Fact]) -> Condition:
    """Read the cell of an input column. Raises `Unfit`."""
    parser = Parser(cell, known)
    under, over = parser.condition(kind_of(column), column)
    parser.end()
    compiles(cell, unary=True)
    return Condition(under, over, frozenset(parser.names))


def amount(cell: str, known: Mapping[str, Fact]) -> frozenset[str]:
    """Read an output cell that must give a number; the names it uses. Raises `Unfit`."""
    parser = Parser(cell, known)
    if parser.expression().kind != NUMBER:
        raise Unfit("这里要写一个数字或算式")
    parser.end()
    compiles(cell, unary=False)
    return frozenset(parser.names)


def literal(cell: str) -> str:
    """Read an output cell that must be a fixed text; the text. Raises `Unfit`."""
    match = re.fullmatch(r"\s*(?:'([^'\\]*)'|\"([^\"\\]*)\")\s*", cell)
    if match is None:
        raise Unfit("这里要写一段带引号的文字" if cell.strip() else "这里还没有写")
    compiles(cell, unary=False)
    return match[1] if match[1] is not None else match[2]


def compiles(cell: str, *, unary: bool) -> None:
    if INVISIBLE.search(cell):
        raise Unfit("这一格里有看不见的字符或全角空格，删掉再写")
    try:
        zen.compile_unary_expression(cell) if unary else zen.compile_expression(cell)
    except Exception as cause:
        raise Unfit("这一格写法不对，引擎读不懂") from cause


def kind_of(fact: Fact) -> str:
    kind = _KINDS.get(fact.kind)
    if kind is None:
        raise Unfit(f"{fact.label} 是日期，规则里请用由它算出的天数或年龄")
    return kind


def domain(fact: Fact) -> Span:
    """Every value a fact may have; choices and truth values by their place."""
    if fact.kind == "bool":
        return ((0, 1),)
    if fact.kind == "enum":
        return ((0, len(fact.members) - 1),)
    return ((fact.low, fact.high),)


def compared(operator: str, column: Fact, low: Fraction, high: Fraction) -> tuple[Span, Span]:
    """Values of the column which surely, and which possibly, stand so to a number between `low` and `high`."""
    least, most = column.low, column.high
    if operator in ("<", "<="):
        under, over = (_below(each, operator == "<=") for each in (low, high))
        return regions.span([(least, min(most, under))]), regions.span([(least, min(most, over))])
    if operator in (">", ">="):
        under, over = (_above(each, operator == ">=") for each in (high, low))
        return regions.span([(max(least, under), most)]), regions.span([(max(least, over), most)])
    all_of, near = domain(column), regions.span([(math.ceil(low), math.floor(high))])
    exactly = regions.meet(near, all_of) if low == high else ()
    if operator == "!=":
        return regions.without(all_of, near), regions.without(all_of, exactly)
    return exactly, regions.meet(near, all_of)


def _below(bound: Fraction, closed: bool) -> int:
    return math.floor(bound) if closed else math.ceil(bound) - 1


def _above(bound: Fraction, closed: bool) -> int:
    return math.ceil(bound) if closed else math.floor(bound) + 1


class Parser:
    """Recursive descent over one cell. `divides`: division by what is never zero is let through."""

    def __init__(self, cell: str, known: Mapping[str, Fact], *, divides: bool = False) -> None:
        if len(cell) > LONGEST:
            raise Unfit(f"一格最多写 {LONGEST} 个字，拆成几行再写")
        self._tokens = _tokens(cell)
        self._at = 0
        self._known = known
        self._divides = divides
        self._depth = 0
        self.names: set[str] = set()

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self._at += 1
        return token

    def accept(self, *texts: str) -> str:
        kind, text = self.peek()
        if kind == "op" and text in texts:
            self._at += 1
            return text
        return ""

    def word(self, text: str) -> bool:
        found = self.peek() == ("name", text)
        self._at += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unfit(f"这里少了 {text}")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise Unfit(f"“{self.peek()[1]}” 后面看不懂，一格只写一个条件")

    def condition(self, kind: str, column: Fact) -> tuple[Span, Span]:
        if kind == NUMBER:
            return self._number_condition(column)
        if kind == BOOL:
            if self.peek() not in (("name", "true"), ("name", "false")):
                raise Unfit("这一列只能写 是 或 否")
            place = int(self.next()[1] == "true")
            return ((place, place),), ((place, place),)
        found = self._members(column)
        return found, found

    def _members(self, column: Fact) -> Span:
        negated = self.accept("!=")
        places = []
        while True:
            places.append(self.member(column))
            if negated or not self.accept(","):
                break
        found = regions.span([(place, place) for place in places])
        return regions.without(domain(column), found) if negated else found

    def member(self, column: Fact) -> int:
        """The place of the choice that stands here."""
        sort, text = self.next()
        if sort != "text":
            raise Unfit("这一列要写带引号的选项")
        if text not in column.members:
            raise Unfit(f"{column.label} 没有“{text}”这个选项")
        return column.members.index(text)

    def _number_condition(self, column: Fact) -> tuple[Span, Span]:
        under, over = self._one_number_condition(column)
        while self.accept(","):
            more = self._one_number_condition(column)
            under, over = regions.span(under + more[0]), regions.span(over + more[1])
        return under, over

    def _one_number_condition(self, column: Fact) -> tuple[Span, Span]:
        opened = self.accept("[", "(")
        if opened:
            return self._range(column, opened)
        operator = self.accept("<", "<=", ">", ">=", "==", "!=")
        bound = self._numeric("这一列是数字，不能和文字或是否比较")
        return compared(operator or "==", column, bound.low, bound.high)

    def _range(self, column: Fact, opened: str) -> tuple[Span, Span]:
        low = self._numeric("这一列是数字，不能和文字或是否比较")
        self.expect("..")
        high = self._numeric("这一列是数字，不能和文字或是否比较")
        closed = self.accept("]", ")")
        if not closed:
            raise Unfit("区间少了右括号")
        if _above(low.low, opened == "[") > _below(high.high, closed == "]"):
            raise Unfit("这个区间里没有数，永远不会生效")
        above = compared(">=" if opened == "[" else ">", column, low.low, low.high)
        below = compared("<=" if closed == "]" else "<", column, high.low, high.high)
        return regions.meet(above[0], below[0]), regions.meet(above[1], below[1])

    def expression(self) -> Typed:
        found = self._term()
        while operator := self.accept("+", "-"):
            other = self._term()
            if found.kind != NUMBER or other.kind != NUMBER:
                raise Unfit("加减只能用在数字上")
            ends = (other.low, other.high) if operator == "+" else (-other.high, -other.low)
            found = number(found.low + ends[0], found.high + ends[1], found.whole and other.whole)
        return found

    def _term(self) -> Typed:
        found = self.factor()
        while operator := self.accept("*", "/"):
            other = self._divisor() if operator == "/" else self.factor()
            if operator == "*" and other.kind != NUMBER:
                raise Unfit("乘法只能用在数字上")
            if found.kind != NUMBER:
                raise Unfit("乘除只能用在数字上")
            if operator == "/":
                found = _spread(lambda a, b: a / b, found, other, whole=False)
            else:
                found = _spread(lambda a, b: a * b, found, other, whole=found.whole and other.whole)
        return found

    def _divisor(self) -> Typed:
        if not self._divides:
            sort, text = self.next()
            if sort != "number" or not Fraction(text):
                raise Unfit("除号后面只能写不是 0 的数字")
            return number(Fraction(text), Fraction(text), whole=False)
        found = self.factor()
        if found.kind != NUMBER or found.low <= 0 <= found.high:
            raise Unfit("除号后面的数可能是 0")
        return found

    def factor(self) -> Typed:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unfit("括号套得太深了")
        found = self._inner()
        self._depth -= 1
        return found

    def group(self) -> Typed:
        """What stands in brackets."""
        return self.expression()

    def _inner(self) -> Typed:
        if self.accept("-"):
            found = self.factor()
            if found.kind != NUMBER:
                raise Unfit("负号后面要是数字")
            return number(-found.high, -found.low, found.whole)
        if self.accept("("):
            found = self.group()
            self.expect(")")
            return found
        sort, text = self.next()
        if sort == "number":
            return number(Fraction(text), Fraction(text), Fraction(text).denominator == 1)
        if sort == "text":
            return Typed(TEXT)
        if sort == "name":
            return self._name(text)
        raise Unfit("这一格没有写完")

    def _name(self, name: str) -> Typed:
        if self.peek() == ("op", "("):
            return self._call(name)
        if name in ("true", "false"):
            return Typed(BOOL, *(Fraction(name == "true"),) * 2)
        fact = self._known.get(name)
        if fact is None:
            raise Unfit(unknown(name))
        self.names.add(name)
        return Typed(kind_of(fact), Fraction(fact.low), Fraction(fact.high), fact=fact)

    def _call(self, name: str) -> Typed:
        if name not in _FUNCTIONS:
            raise Unfit(f"不能使用函数 {name}")
        self.expect("(")
        if _FUNCTIONS[name]:
            given = self._numeric()
            found = _applied(name, given)
        else:
            self.expect("[")
            all_of = [self._numeric()]
            while self.accept(","):
                all_of.append(self._numeric())
            self.expect("]")
            pick = min if name == "min" else max
            low, high = pick(each.low for each in all_of), pick(each.high for each in all_of)
            found = number(low, high, all(each.whole for each in all_of))
        self.expect(")")
        return found

    def _numeric(self, otherwise: str = "函数里只能放数字") -> Typed:
        found = self.expression()
        if found.kind != NUMBER:
            raise Unfit(otherwise)
        return found


def number(low: Fraction, high: Fraction, whole: bool) -> Typed:
    if low < -_LARGEST or high > _LARGEST:
        raise Unfit("算出来的数可能太大")
    return Typed(NUMBER, low, high, whole)


def _spread(
    act: Callable[[Fraction, Fraction], Fraction], first: Typed, second: Typed, *, whole: bool
) -> Typed:
    ends = [act(a, b) for a in (first.low, first.high) for b in (second.low, second.high)]
    return number(min(ends), max(ends), whole)


def _applied(name: str, given: Typed) -> Typed:
    if name == "abs":
        ends = abs(given.low), abs(given.high)
        crosses = given.low <= 0 <= given.high
        return number(Fraction(0) if crosses else min(ends), max(ends), given.whole)
    rounded = math.floor if name == "floor" else math.ceil
    return number(Fraction(rounded(given.low)), Fraction(rounded(given.high)), whole=True)


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
