"""Expressions of expression nodes and switches: arithmetic, comparisons, and/or/not, a choice of two values.

What a truth value is known to hold of is kept as regions of the facts it looks at, so that the branches of a
switch can be shown to leave nothing out.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from backend.domains.decision import expressions, regions
from backend.domains.decision.expressions import BOOL, NUMBER, TEXT, Parser, Typed, Unfit
from backend.domains.decision.facts import Fact
from backend.domains.decision.regions import Box, Span

Region = Mapping[str, Span]
"""Facts to values; a fact that is not named may have any."""
LOCAL = "document"
"""The source of what a document computes itself."""
_MOST = 200
"""Regions kept of one expression; beyond, nothing is claimed."""
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Claim(msgspec.Struct, frozen=True):
    """Where a truth value surely is true, and where it may be."""

    under: tuple[Region, ...]
    over: tuple[Region, ...]


UNKNOWN = Claim((), ({},))


class Value(msgspec.Struct, frozen=True):
    """A named value of an expression node: its type as a fact, and the names it is made of."""

    fact: Fact
    names: frozenset[str]


class Branch(msgspec.Struct, frozen=True):
    """The condition of a branch."""

    claim: Claim
    names: frozenset[str]


def value(name: str, cell: str, known: Mapping[str, Fact]) -> Value:
    """Read what an expression node gives a name to. Raises `Unfit`."""
    parser = _Logic(cell, known, divides=True)
    found = parser.choice()
    parser.end()
    expressions.compiles(cell, unary=False)
    if found.kind == TEXT:
        raise Unfit("这里要算出数字或是否")
    if found.kind == NUMBER:
        if not found.whole:
            raise Unfit("算出来可能不是整数，请用 取整（floor）或 进整（ceil）")
        if max(abs(found.low), abs(found.high)) > expressions.EXACT:
            raise Unfit("算出来的数可能太大，引擎算不准")
    low, high = (int(found.low), int(found.high)) if found.kind == NUMBER else (0, 0)
    kind = "int" if found.kind == NUMBER else "bool"
    fact = local(name, kind, low, high)
    return Value(fact, frozenset(parser.names))


def local(name: str, kind: str, low: int = 0, high: int = 0) -> Fact:
    """A name a document defines itself, as later nodes see it."""
    given = {"unit": "", "family": "", "source": LOCAL, "absence": ""}
    return Fact(name=name, label=name, kind=kind, low=low, high=high, **given)  # type: ignore[arg-type]


def branch(cell: str, known: Mapping[str, Fact]) -> Branch:
    """Read the condition of a branch. Raises `Unfit`."""
    parser = _Logic(cell, known, divides=True)
    found = parser.choice()
    parser.end()
    expressions.compiles(cell, unary=False)
    if found.kind != BOOL:
        raise Unfit("这里要写一个成立或不成立的条件")
    return Branch(_claim(found), frozenset(parser.names))


def boxes(columns: Sequence[Fact], found: Sequence[Region]) -> list[Box]:
    """Regions as boxes over these facts."""
    return [tuple(each.get(fact.name, expressions.domain(fact)) for fact in columns) for each in found]


class _Logic(Parser):
    def group(self) -> Typed:
        return self.choice()

    def choice(self) -> Typed:
        """condition ? value : value, or just a value."""
        found = self._any()
        if not self.accept("?"):
            return found
        if found.kind != BOOL:
            raise Unfit("问号前面要写一个条件")
        yes = self._any()
        self.expect(":")
        no = self.choice()
        if yes.kind != no.kind or yes.kind == TEXT:
            raise Unfit("冒号两边要是同一种值：都是数字，或都是条件")
        if yes.kind == BOOL:
            return Typed(BOOL, claim=UNKNOWN)
        return expressions.number(min(yes.low, no.low), max(yes.high, no.high), yes.whole and no.whole)

    def _any(self) -> Typed:
        found = self._all()
        while self.word("or"):
            found = _joined(found, self._all(), either=True)
        return found

    def _all(self) -> Typed:
        found = self._one()
        while self.word("and"):
            found = _joined(found, self._one(), either=False)
        return found

    def _one(self) -> Typed:
        if not self.word("not"):
            return self._comparison()
        if self.peek() != ("op", "(") and self._known_bool() is None:
            raise Unfit("not 后面要用括号，或跟一个是否类的数据项")
        found = self.factor()
        if found.kind != BOOL:
            raise Unfit("not 后面要写一个条件")
        claim = _claim(found)
        return Typed(BOOL, claim=Claim(self._outside(claim.over, ()), self._outside(claim.under, ({},))))

    def _known_bool(self) -> Fact | None:
        sort, text = self.peek()
        fact = self._known.get(text) if sort == "name" else None
        return fact if fact is not None and fact.kind == "bool" else None

    def _outside(self, found: Sequence[Region], otherwise: tuple[Region, ...]) -> tuple[Region, ...]:
        """Everything in none of the regions."""
        left: list[Region] = [{}]
        for region in found:
            left = [
                {**kept, name: rest}
                for kept in left
                for name, part in region.items()
                if (rest := regions.without(kept.get(name, expressions.domain(self._known[name])), part))
            ]
            if len(left) > _MOST:
                return otherwise
        return tuple(left)

    def _comparison(self) -> Typed:
        left = self.expression()
        operator = self.accept("<", "<=", ">", ">=", "==", "!=")
        if not operator:
            if self.word("in"):
                return self._choices(left)
            return left
        if left.fact is not None and left.fact.kind == "enum":
            if operator not in ("==", "!="):
                raise Unfit("选项只能用 == 或 != 比较")
            place = self.member(left.fact)
            return _of(left.fact, ((place, place),), negated=operator == "!=")
        right = self.expression()
        if left.kind != right.kind or left.kind == TEXT:
            raise Unfit("比较的两边要是同一种值")
        if left.kind == BOOL:
            raise Unfit("是否类的数据项直接写，或用 not")
        return Typed(BOOL, claim=_compared(operator, left, right))

    def _choices(self, left: Typed) -> Typed:
        if left.fact is None or left.fact.kind != "enum":
            raise Unfit("in 前面要是一个选项类的数据项")
        self.expect("[")
        places = [self.member(left.fact)]
        while self.accept(","):
            places.append(self.member(left.fact))
        self.expect("]")
        return _of(left.fact, regions.span([(place, place) for place in places]))


def _of(fact: Fact, part: Span, *, negated: bool = False) -> Typed:
    held = regions.without(expressions.domain(fact), part) if negated else part
    exact = ({fact.name: held},) if held else ()
    return Typed(BOOL, claim=Claim(exact, exact))


def _claim(found: Typed) -> Claim:
    if found.claim is not None:
        return found.claim  # type: ignore[no-any-return]
    if found.fact is not None:
        exact = ({found.fact.name: ((1, 1),)},)
        return Claim(exact, exact)
    return Claim(({},), ({},)) if found.low else Claim((), ())


def _compared(operator: str, left: Typed, right: Typed) -> Claim:
    """Of a fact against a number in a known range; other comparisons claim nothing."""
    if left.fact is None and right.fact is not None:
        operator, left, right = _FLIPPED[operator], right, left
    if left.fact is None:
        return UNKNOWN
    under, over = expressions.compared(operator, left.fact, Fraction(right.low), Fraction(right.high))
    name = left.fact.name
    return Claim(({name: under},) if under else (), ({name: over},) if over else ())


def _joined(first: Typed, second: Typed, *, either: bool) -> Typed:
    if first.kind != BOOL or second.kind != BOOL:
        raise Unfit("and 和 or 的两边都要是条件")
    one, two = _claim(first), _claim(second)
    if either:
        return Typed(BOOL, claim=Claim(_few(one.under + two.under, ()), _few(one.over + two.over, ({},))))
    under, over = _both(one.under, two.under), _both(one.over, two.over)
    return Typed(BOOL, claim=Claim(_few(under, ()), _few(over, ({},))))


def _few(found: tuple[Region, ...], otherwise: tuple[Region, ...]) -> tuple[Region, ...]:
    return found if len(found) <= _MOST else otherwise


def _both(first: Sequence[Region], second: Sequence[Region]) -> tuple[Region, ...]:
    found = []
    for one in first:
        for two in second:
            shared = {
                name: regions.meet(part, two[name]) if name in two else part for name, part in one.items()
            }
            if all(shared.values()):
                found.append({**two, **shared})
    return tuple(found)
