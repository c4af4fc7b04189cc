"""The facts of a tried case as levers: what a version looks at, what it is computed from, and how far each slider goes.

A computed fact has no lever of its own; the plain facts behind it have, and what it comes to is told beside them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.core import clock
from backend.core.plain_text import narrow
from backend.domains.decision import facts, features
from backend.domains.decision.facts import COMPUTED, Fact
from backend.domains.decision.model import Case
from backend.domains.strategies import cells, overlays
from backend.domains.strategies.cells import CellUnreadable, Column
from backend.domains.strategies.model import Document, Scenario

MOST = 80
FACTS = tuple(f"fact_{n}" for n in range(MOST))
_WHOLE = re.compile(r"(?<![\w.])-?\d+(?![\w])|(?<=\.\.)-?\d+", re.ASCII)
USUAL = {"fen": 10_000_000, "bp": 10_000, "int": 100}
"""How far a slider goes where neither the value nor a table says more than 0."""
LEAST = {"fen": 2_000_000, "bp": 1_000, "int": 12}
"""How far it goes at least."""
NARROW = 120  # a domain no wider is shown whole
STEPS = 2_000  # positions a slider has at most


class Lever(msgspec.Struct, frozen=True, kw_only=True):
    """One fact to change. `low`, `high`, `step` of a slider, in the unit shown; `options` (word, Chinese) of a list;
    `date`: a day."""

    name: str
    label: str
    unit: str = ""
    text: str = ""
    options: tuple[tuple[str, str], ...] = ()
    low: str = ""
    high: str = ""
    step: str = ""
    date: bool = False
    wrong: str = ""


class Computed(msgspec.Struct, frozen=True):
    """A fact nobody moves: what it comes to now ('' where something is missing), and what it is computed from."""

    label: str
    text: str
    behind: tuple[str, ...]


class Span(msgspec.Struct, frozen=True):
    """Where a slider begins and ends and how far one position is, in the fact's own unit (fen, hundredths of %)."""

    low: int
    high: int
    step: int


def levers(
    names: list[str], chosen: Scenario, form: dict[str, str], edges: Mapping[str, tuple[int, ...]]
) -> tuple[tuple[Lever, ...], Case]:
    """The plain facts behind `names`, as they are in the form or the case; and the case with them. A value that
    cannot be read or that the fact cannot have is told at its lever, and the case keeps its own."""
    case, made = chosen.case, []
    changed = {name: dict(source.facts) for name, source in case.sources.items()}
    touched = form.get("case") == chosen.id
    for number, fact in enumerate(_plain(names, case)[:MOST]):
        value = changed[fact.source].get(fact.name)
        text, wrong = _text(value, fact), ""
        given = form.get(f"fact_{number}", "") if touched else ""
        if given and given != text:
            text = given
            try:
                changed[fact.source][fact.name] = value = read(given, fact)
            except CellUnreadable as cause:
                wrong = cause.text
        made.append(_lever(f"fact_{number}", fact, text, value, edges.get(fact.name, ()), wrong))
    sources = {
        name: msgspec.structs.replace(source, facts=changed[name]) for name, source in case.sources.items()
    }
    return tuple(made), msgspec.structs.replace(case, sources=sources)


def computed(names: Iterable[str], case: Case) -> tuple[Computed, ...]:
    """Of the facts a version looks at those that are computed, with what they come to in this case."""
    known = facts.catalogue()
    asked = [known[name] for name in names if name in known and known[name].source in COMPUTED]
    plain, wanted = features.closure(fact.name for fact in asked if fact.source == "derived")
    values = facts.check(case, facts.Needed(known[name] for name in sorted(plain)), known).values
    features.extend(values, clock.local(case.as_of).date(), wanted)
    return tuple(
        Computed(
            fact.label,
            facts.spoken(fact, values[fact.name]) if fact.name in values else "",
            tuple(known[name].label for name in _behind(fact)),
        )
        for fact in asked
    )


def edges(documents: Iterable[Document]) -> dict[str, tuple[int, ...]]:
    """The numbers the tables compare each fact with."""
    found: dict[str, set[int]] = {}
    for document in documents:
        for node in overlays.tables(document).values():
            for column in node["content"]["inputs"]:
                held = found.setdefault(str(column.get("field") or ""), set())
                for rule in node["content"]["rules"]:
                    held |= {int(each) for each in _WHOLE.findall(str(rule.get(column["id"], "")))}
    return {name: tuple(sorted(held)) for name, held in found.items()}


def read(text: str, fact: Fact) -> int | bool | str:
    """What a person wrote of a fact. Raises `CellUnreadable`, also for what the fact cannot be."""
    if fact.kind == "date":
        if fact.problem(text):
            raise CellUnreadable(why="日期写成 2026-12-01 这样")
        return text
    cell = cells.read(narrow(text.strip()), _column(fact), facts.catalogue())
    if fact.kind == "bool":
        return cell == "true"
    if fact.kind == "enum":
        return cell.strip("'")
    if not cell.removeprefix("-").isdigit():
        raise CellUnreadable(why="这里写一个数")
    value = int(cell)
    if fact.problem(value):
        ends = (f"{facts.spoken(fact, end)}{_counted(fact)}" for end in (fact.low, fact.high))
        raise CellUnreadable(why=f"{fact.label}只能是 {' 到 '.join(ends)}，没有 {facts.spoken(fact, value)}")
    return value


def span(fact: Fact, value: int, edges: tuple[int, ...]) -> Span:
    """The whole domain where it is narrow, else twice as far as the value and the tables' numbers reach, so that both
    sides of each can be tried; the numbers lie on positions of the slider where they can."""
    unit = 100 if fact.kind == "fen" else 1
    points = [each for each in (value, *edges) if fact.low <= each <= fact.high]
    most, least = (max(points, default=0), min(points, default=0))
    high = max(2 * most, LEAST.get(fact.kind, 0)) if most > 0 else USUAL.get(fact.kind, 0)
    low = 2 * least if least < 0 else 0
    if (fact.high - fact.low) // unit <= NARROW:
        low, high = fact.low, fact.high
    low, high = max(low, fact.low), min(_round_up(high), fact.high)
    step = _step(high - low, unit, [each for each in points if each != value])
    # The engine of a slider counts its positions from the low end: one fen there would put every position one off.
    return Span(-(-low // step) * step, high, step)


def _step(wide: int, unit: int, points: list[int]) -> int:
    if unit == 1 and wide <= STEPS:
        return 1
    sizes = [unit * size * int(10**power) for power in range(12) for size in (1, 2, 5)]
    fitting = [size for size in sizes if wide / STEPS <= size <= wide / 50]
    whole = [size for size in fitting if all(point % size == 0 for point in points)]
    return (whole or fitting[:1] or [unit])[-1]


def _round_up(value: int) -> int:
    """To one digit and zeros."""
    size = int(10 ** (len(str(value)) - 1))
    return -(-value // size) * size


def _plain(names: Iterable[str], case: Case) -> list[Fact]:
    """What sources give of these, and of what they are computed from, in the order of the version."""
    known, found = facts.catalogue(), dict[str, Fact]()
    for name in (each for each in names if each in known):
        for needed in _behind(known[name]) if known[name].source in COMPUTED else (name,):
            found.setdefault(needed, known[needed])
    return [each for each in found.values() if each.source not in COMPUTED and each.source in case.sources]


def _behind(fact: Fact) -> list[str]:
    """Names of the plain facts a computed one comes from; none of what an earlier stage gives."""
    if fact.source != "derived":
        return []
    plain, _ = features.closure([fact.name])
    return [name for name in facts.catalogue().facts if name in plain]


def _column(fact: Fact) -> Column:
    return Column(id=fact.name, label=fact.label, kind="condition", fact=fact, unit=fact.kind)


def _counted(fact: Fact) -> str:
    return f" {fact.unit}" if fact.kind == "int" and fact.unit else ""


def _text(value: Any, fact: Fact) -> str:
    """A fact as the form has it: yuan, percent, 是, a choice's own word."""
    if value is None:
        return ""
    if fact.kind in ("fen", "bp"):
        return f"{value / 100:.15g}"
    return ("是" if value else "否") if fact.kind == "bool" else str(value)


def _lever(name: str, fact: Fact, text: str, value: Any, edges: tuple[int, ...], wrong: str) -> Lever:
    if fact.kind == "bool":
        return Lever(
            name=name, label=fact.label, text=text, options=(("是", "是"), ("否", "否")), wrong=wrong
        )
    if fact.kind == "enum":
        pairs = tuple(zip(fact.members, fact.labels or fact.members, strict=True))
        return Lever(name=name, label=fact.label, text=text, options=pairs, wrong=wrong)
    if fact.kind == "date":
        return Lever(name=name, label=fact.label, text=text, date=True, wrong=wrong)
    reach = span(fact, value if type(value) is int else 0, edges)
    share = 100 if fact.kind in ("fen", "bp") else 1
    low, high, step = (f"{each / share:.15g}" for each in (reach.low, reach.high, reach.step))
    unit = {"fen": "元", "bp": "%"}.get(fact.kind, fact.unit)
    return Lever(
        name=name, label=fact.label, unit=unit, text=text, low=low, high=high, step=step, wrong=wrong
    )
