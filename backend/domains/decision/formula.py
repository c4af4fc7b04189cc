"""One definition, two forms: whole-number formulas that run on one case and on a table of a million (A3-36).

Every primitive below is written once in both forms, side by side: plain Python for a live decision, a polars
expression for batches and training. A formula is only ever put together from primitives, so the two cannot part.
All is 64-bit whole-number arithmetic; `span` carries the range a result can have, and a formula that could leave
64 bits is refused when it is measured (`Overflow`). Division floors, as in Python, and what a division by nothing
gives is always said. polars is imported only when a table is asked for: nothing that serves people loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from backend.core import clock

if TYPE_CHECKING:
    import polars

Values = Mapping[str, int | bool | str]
Span = tuple[int, int]
Spans = Mapping[str, Span]
Scalar = Callable[[Values, date], Any]
Column = Callable[["polars.Expr"], "polars.Expr"]
"""Takes the expression of the day a row is judged on."""

LOWEST, HIGHEST = -(2**63), 2**63 - 1


class Overflow(ArithmeticError):
    """A formula can leave 64 bits for values the catalogue allows."""


class Formula:
    """`needs` are the facts (or earlier features) it reads; `kind` is int, bool or date."""

    kind = ""

    def __init__(self, needs: tuple[str, ...], scalar: Scalar, column: Column) -> None:
        self.needs = tuple(dict.fromkeys(needs))
        self.scalar, self.column = scalar, column


class Truth(Formula):
    """Something that holds or not; `check` raises `Overflow` for a number in it that could leave 64 bits."""

    kind = "bool"

    def __init__(
        self, needs: tuple[str, ...], scalar: Scalar, column: Column, parts: tuple[Truth | Number, ...] = ()
    ) -> None:
        super().__init__(needs, scalar, column)
        self._parts = parts

    def check(self, spans: Spans) -> None:
        for part in self._parts:
            if isinstance(part, Truth):
                part.check(spans)
            else:
                part.span(spans)

    def __and__(self, other: Truth) -> Truth:
        a, b, c, d = self.scalar, other.scalar, self.column, other.column
        return Truth(
            self.needs + other.needs,
            lambda v, on: a(v, on) and b(v, on),
            lambda on: c(on) & d(on),
            (self, other),
        )

    def __or__(self, other: Truth) -> Truth:
        a, b, c, d = self.scalar, other.scalar, self.column, other.column
        return Truth(
            self.needs + other.needs,
            lambda v, on: a(v, on) or b(v, on),
            lambda on: c(on) | d(on),
            (self, other),
        )

    def __invert__(self) -> Truth:
        a, c = self.scalar, self.column
        return Truth(self.needs, lambda v, on: not a(v, on), lambda on: ~c(on), (self,))


class Number(Formula):
    """A whole number; `span(spans)` is the lowest and the highest it can be, raising `Overflow`."""

    kind = "int"

    def __init__(
        self, needs: tuple[str, ...], scalar: Scalar, column: Column, span: Callable[[Spans], Span]
    ) -> None:
        super().__init__(needs, scalar, column)
        self._span = span

    def span(self, spans: Spans) -> Span:
        low, high = self._span(spans)
        if low < LOWEST or high > HIGHEST:
            raise Overflow(f"{low} … {high}")
        return low, high

    def __add__(self, other: Number | int) -> Number:
        x, y = self, number(other)
        a, b, c, d = x.scalar, y.scalar, x.column, y.column

        def span(spans: Spans) -> Span:
            (low, high), (low2, high2) = x.span(spans), y.span(spans)
            return low + low2, high + high2

        return Number(x.needs + y.needs, lambda v, on: a(v, on) + b(v, on), lambda on: c(on) + d(on), span)

    def __sub__(self, other: Number | int) -> Number:
        x, y = self, number(other)
        a, b, c, d = x.scalar, y.scalar, x.column, y.column

        def span(spans: Spans) -> Span:
            (low, high), (low2, high2) = x.span(spans), y.span(spans)
            return low - high2, high - low2

        return Number(x.needs + y.needs, lambda v, on: a(v, on) - b(v, on), lambda on: c(on) - d(on), span)

    def __rsub__(self, other: int) -> Number:
        return number(other) - self

    def __mul__(self, other: Number | int) -> Number:
        x, y = self, number(other)
        a, b, c, d = x.scalar, y.scalar, x.column, y.column

        def span(spans: Spans) -> Span:
            ends = [m * n for m in x.span(spans) for n in y.span(spans)]
            return min(ends), max(ends)

        return Number(x.needs + y.needs, lambda v, on: a(v, on) * b(v, on), lambda on: c(on) * d(on), span)

    def __floordiv__(self, by: int) -> Number:
        """Floored; by a positive constant only. For anything that may be nothing there is `per`."""
        if by <= 0:
            raise ValueError("a divisor is a positive constant; use `per` for one that may be nothing")
        a, c, x = self.scalar, self.column, self
        return Number(
            self.needs,
            lambda v, on: a(v, on) // by,
            lambda on: c(on) // _literal(by),
            lambda spans: (x.span(spans)[0] // by, x.span(spans)[1] // by),
        )

    def __lt__(self, other: Number | int) -> Truth:
        y = number(other)
        a, b, c, d = self.scalar, y.scalar, self.column, y.column
        return Truth(
            self.needs + y.needs, lambda v, on: a(v, on) < b(v, on), lambda on: c(on) < d(on), (self, y)
        )

    def __le__(self, other: Number | int) -> Truth:
        return ~(number(other) < self)

    def __gt__(self, other: Number | int) -> Truth:
        return number(other) < self

    def __ge__(self, other: Number | int) -> Truth:
        return ~(self < other)

    def equals(self, other: Number | int) -> Truth:
        y = number(other)
        a, b, c, d = self.scalar, y.scalar, self.column, y.column
        return Truth(
            self.needs + y.needs, lambda v, on: a(v, on) == b(v, on), lambda on: c(on) == d(on), (self, y)
        )


class Day(Formula):
    """A calendar day."""

    kind = "date"

    def __init__(self, needs: tuple[str, ...], scalar: Scalar, column: Column) -> None:
        super().__init__(needs, scalar, column)
        self.year = self._part(lambda day: day.year, "year", (1, 9999))
        self.month = self._part(lambda day: day.month, "month", (1, 12))
        self.day = self._part(lambda day: day.day, "day", (1, 31))

    def _part(self, take: Callable[[date], int], name: str, span: Span) -> Number:
        a, c = self.scalar, self.column
        return Number(
            self.needs,
            lambda v, on: take(a(v, on)),
            lambda on: getattr(c(on).dt, name)().cast(_int64()),
            lambda _: span,
        )

    def years_to(self, later: Day) -> Number:
        """Full years from this day to the other (周岁)."""
        a, b, c, d = self.scalar, later.scalar, self.column, later.column

        def column(on: polars.Expr) -> polars.Expr:
            born, then = c(on).dt, d(on).dt
            before = (
                then.month().cast(_int64()) * 100 + then.day()
                < born.month().cast(_int64()) * 100 + born.day()
            )
            return (then.year() - born.year()).cast(_int64()) - before.cast(_int64())

        return Number(
            self.needs + later.needs,
            lambda v, on: clock.years_between(a(v, on), b(v, on)),
            column,
            lambda _: (-9999, 9999),
        )

    def days_to(self, later: Day) -> Number:
        a, b, c, d = self.scalar, later.scalar, self.column, later.column
        return Number(
            self.needs + later.needs,
            lambda v, on: (b(v, on) - a(v, on)).days,
            lambda on: (d(on) - c(on)).dt.total_days().cast(_int64()),
            lambda _: (-3_652_059, 3_652_059),
        )


def number(value: Number | int) -> Number:
    """A constant, or the number itself."""
    if isinstance(value, Number):
        return value
    return Number((), lambda _, __: value, lambda _: _literal(value), lambda _: (value, value))


def count(*conditions: Truth) -> Number:
    """How many of these hold."""
    made = number(0)
    for condition in conditions:
        made = made + when(condition, 1, 0)
    return made


def fact(name: str) -> Number:
    """A number of the catalogue, or a feature that comes earlier."""
    return Number((name,), lambda v, _: v[name], lambda _: _column(name), lambda spans: spans[name])


def flag(name: str) -> Truth:
    """A yes or no of the catalogue."""
    return Truth((name,), lambda v, _: v[name], lambda _: _column(name))


def is_one_of(name: str, *members: str) -> Truth:
    """An option of the catalogue is one of these."""
    return Truth((name,), lambda v, _: v[name] in members, lambda _: _column(name).is_in(list(members)))


def day(name: str) -> Day:
    """A date of the catalogue."""
    return Day((name,), lambda v, _: date.fromisoformat(v[name]), lambda _: _column(name))  # type: ignore[arg-type]


TODAY = Day((), lambda _, on: on, lambda on: on)
"""The day the case is judged on."""


def least(*parts: Number | int) -> Number:
    """The smallest."""
    return _extreme([number(part) for part in parts], min, "min_horizontal")


def greatest(*parts: Number | int) -> Number:
    """The largest."""
    return _extreme([number(part) for part in parts], max, "max_horizontal")


def _extreme(parts: list[Number], choose: Callable[..., Any], horizontal: str) -> Number:
    forms = [part.scalar for part in parts]

    def column(on: polars.Expr) -> polars.Expr:
        import polars as pl

        made: polars.Expr = getattr(pl, horizontal)([part.column(on) for part in parts])
        return made

    def span(spans: Spans) -> Span:
        found = [part.span(spans) for part in parts]
        return choose(low for low, _ in found), choose(high for _, high in found)

    needs = tuple(name for part in parts for name in part.needs)
    return Number(needs, lambda v, on: choose(form(v, on) for form in forms), column, span)


def when(condition: Truth, then: Number | int, otherwise: Number | int) -> Number:
    """One number or the other."""
    x, y = number(then), number(otherwise)
    test, a, b = condition.scalar, x.scalar, y.scalar

    def column(on: polars.Expr) -> polars.Expr:
        import polars as pl

        return pl.when(condition.column(on)).then(x.column(on)).otherwise(y.column(on))

    def span(spans: Spans) -> Span:
        condition.check(spans)
        (low, high), (low2, high2) = x.span(spans), y.span(spans)
        return min(low, low2), max(high, high2)

    needs = condition.needs + x.needs + y.needs
    return Number(needs, lambda v, on: a(v, on) if test(v, on) else b(v, on), column, span)


def per(parts: Number, whole: Number, *, nothing: Number | int) -> Number:
    """`parts // whole`, floored; `nothing` where there is no whole."""
    z = number(nothing)
    a, b, c = parts.scalar, whole.scalar, z.scalar

    def scalar(values: Values, on: date) -> Any:
        by = b(values, on)
        return a(values, on) // by if by else c(values, on)

    def column(on: polars.Expr) -> polars.Expr:
        import polars as pl

        by = whole.column(on)
        safe = pl.when(by == 0).then(_literal(1)).otherwise(by)
        return pl.when(by == 0).then(z.column(on)).otherwise(parts.column(on) // safe)

    def span(spans: Spans) -> Span:
        (low, high), (low2, high2) = parts.span(spans), z.span(spans)
        whole.span(spans)
        most = max(abs(low), abs(high))  # dividing by a whole number makes nothing larger
        return min(-most if low < 0 or whole.span(spans)[0] < 0 else 0, low2), max(most, high2)

    return Number(parts.needs + whole.needs + z.needs, scalar, column, span)


def _int64() -> Any:
    import polars as pl

    return pl.Int64


def _literal(value: int) -> polars.Expr:
    import polars as pl

    return pl.lit(value, dtype=pl.Int64)


def _column(name: str) -> polars.Expr:
    import polars as pl

    return pl.col(name)
