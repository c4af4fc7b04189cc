"""The catalogue of facts and the check every fact passes before a rule may see it (A3-35).

zen-engine lets a null, a missing name or a text in a number column pass silently, so nothing reaches it that
this module has not found present, typed, in range, fresh and consented to. Whatever fails becomes a `Gap`,
and a stage that needs it does not run: the case is referred, never approved by absence.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Self

import msgspec

from backend.domains.decision import model

Value = int | bool | str
_PLACEHOLDER = re.compile(r"\{(\w+)\}", re.ASCII)
_CLOCK_SKEW = timedelta(minutes=5)
COMPUTED = ("derived", "stage")
"""Sources nobody outside may supply."""

LICENCES = {
    "customer": "本人提供",
    "own": "本行和农信系统自己的记录",
    "statutory": "金融信用信息基础数据库",
    "licensed": "持牌征信机构",
    "public": "依法取得的公共数据",
    "counterparty": "交易对方提供",
}
"""By what right a fact is had. 《征信业务管理办法》 (D3-12): what tells of a person's credit comes from a licensed
credit-reporting body or by law; what a party to the trade says may cap a limit but not make a score."""
_SCORES = frozenset(LICENCES) - {"counterparty"}


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact of the catalogue.

    `kind` int | fen | bp | bool | date | enum; `low`/`high` inclusive; `labels` are the members as people
    say them; `parcel` names the facts of one source that are asked for and trusted together, '' for those it
    always gives; `licence` is by what right we have it (`LICENCES`), '' only for what is computed; `consent` the
    purpose without which it may not be used; `withheld` the lowest value, present only for facts a customer may
    keep back;
    `fresh_days` how old an observation may be; `price` false keeps it out of rating, limit and pricing
    (D3-03: no price difference without a credit reason); `absence` what happens without it;
    `minus`/`plus`/`advice` what the customer is told when it moves the score.
    """

    name: str
    label: str
    kind: str
    unit: str
    family: str
    source: str
    absence: str
    parcel: str = ""
    licence: str = ""
    low: int = 0
    high: int = 0
    members: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    consent: str = ""
    withheld: int | None = None
    fresh_days: int | None = None
    price: bool = True
    minus: str = ""
    plus: str = ""
    advice: str = ""

    def problem(self, value: object) -> str:
        """Why the value cannot be used: '', mistyped or out_of_range."""
        return _CHECKS[self.kind](self, value)


def _whole(fact: Fact, value: object) -> str:
    if type(value) is not int:  # a bool is no number here
        return "mistyped"
    return "" if fact.low <= value <= fact.high else "out_of_range"


def _boolean(_: Fact, value: object) -> str:
    return "" if type(value) is bool else "mistyped"


def _member(fact: Fact, value: object) -> str:
    if type(value) is not str:
        return "mistyped"
    return "" if value in fact.members else "out_of_range"


def _iso_date(_: Fact, value: object) -> str:
    # `fromisoformat` also reads weeks; a table does not.
    if type(value) is not str or len(value) != 10 or (value[4], value[7]) != ("-", "-"):
        return "mistyped"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "mistyped"
    return ""


_CHECKS: dict[str, Callable[[Fact, object], str]] = {
    "int": _whole,
    "fen": _whole,
    "bp": _whole,
    "bool": _boolean,
    "enum": _member,
    "date": _iso_date,
}


class Catalogue:
    """All facts by name; `text` is the canonical JSON of their definitions and `hash` its SHA-256."""

    def __init__(self, text: bytes) -> None:
        self.facts = {fact.name: fact for fact in msgspec.json.decode(text, type=list[Fact])}
        self.text = model.canonical(msgspec.json.decode(text))
        self.hash = hashlib.sha256(self.text).hexdigest()
        # Catalogues stored before licences were kept are only read to replay what they decided.
        self.keeps_licences = any(fact.licence for fact in self.facts.values())

    def may_grant(self, name: str) -> bool:
        """May it move grade, limit or price at all (D3-12)? A fact without a licence may not."""
        fact = self.facts[name]
        return not self.keeps_licences or fact.source in COMPUTED or fact.licence in LICENCES

    def may_score(self, name: str) -> bool:
        """May it go into a score (D3-12)?"""
        fact = self.facts[name]
        return not self.keeps_licences or fact.source in COMPUTED or fact.licence in _SCORES

    def parcels(self, names: Iterable[str]) -> "Needed":
        """Every fact that comes with these: a source's parcel is taken whole, one that is partly wrong or missing
        is not to be trusted in part."""
        wanted = {(self.facts[name].source, self.facts[name].parcel) for name in names}
        return Needed(fact for fact in self.facts.values() if (fact.source, fact.parcel) in wanted)

    def __getitem__(self, name: str) -> Fact:
        return self.facts[name]

    def __contains__(self, name: str) -> bool:
        return name in self.facts


@cache
def catalogue() -> Catalogue:
    """The catalogue shipped with this version."""
    return Catalogue(resources.files(__package__).joinpath("catalogue.json").read_bytes())


class Needed(tuple[Fact, ...]):
    """Facts that are looked at together, also by their source."""

    by_source: dict[str, list[Fact]]

    def __new__(cls, facts: Iterable[Fact]) -> Self:
        made = super().__new__(cls, facts)
        made.by_source = {}
        for fact in made:
            made.by_source.setdefault(fact.source, []).append(fact)
        return made


class Checked(msgspec.Struct, frozen=True):
    """`values` may be used by rules; `gaps` says what may not and why."""

    values: dict[str, Value]
    gaps: list[model.Gap]


Kept = dict[str, tuple[model.Case, Checked]]
"""What was found of each source, and in which case."""


def check(case: model.Case, needed: Needed, known: Catalogue, *, kept: Kept | None = None) -> Checked:
    """Take every needed fact out of the case if it may be used, and say of every other why not.

    `kept` is for who checks like cases in a row, for the same `needed`: a source that is the very same is not looked
    at again.
    """
    values: dict[str, Value] = {}
    absent = needed.by_source.keys() - case.sources.keys()
    gaps = [_gap(fact, "missing") for fact in needed if fact.source in absent] if absent else []
    for source in case.sources:
        found = _of_source(case, source, needed.by_source.get(source, ()), known, kept)
        values |= found.values
        gaps += found.gaps
    gaps.extend(_contradictions(values, known))
    for gap in gaps:
        values.pop(gap.fact, None)
    return Checked(values, gaps)


def _of_source(
    case: model.Case, source: str, asked: Iterable[Fact], known: Catalogue, kept: Kept | None
) -> Checked:
    given = case.sources[source]
    if kept is not None and (last := kept.get(source)):
        before, found = last
        if before.sources[source] is given and before.as_of == case.as_of:
            return found
    standing, values = _standing(case.as_of, given), dict[str, Value]()
    gaps = _unknown(source, given, known)
    for fact in asked:
        value, problem = _take(fact, given, standing)
        if problem:
            gaps.append(_gap(fact, problem))
        else:
            values[fact.name] = value
    found = Checked(values, gaps)
    if kept is not None:
        kept[source] = case, found
    return found


def passed(name: str, observed_at: datetime, now: datetime) -> bool:
    """Whether an observation would be too old to be used today."""
    fact = catalogue().facts.get(name)
    if fact is None or fact.fresh_days is None:
        return False
    return now - observed_at > timedelta(days=fact.fresh_days)


class _Standing(msgspec.Struct, frozen=True):
    """How a source's answer stands to the moment of the decision; `age` in days, negative: in the future."""

    age: float
    consented: bool


def _standing(as_of: datetime, given: model.SourceFacts) -> _Standing:
    age = as_of - given.observed_at
    days = -1.0 if age < -_CLOCK_SKEW else max(0.0, age / timedelta(days=1))
    return _Standing(days, bool((given.consent_id or "").strip()))


def _take(fact: Fact, given: model.SourceFacts, standing: _Standing) -> tuple[Any, str]:
    if fact.withheld is not None and fact.name in given.withheld:
        return fact.withheld, ""
    value = given.facts.get(fact.name)
    if value is None:
        return None, "missing"
    if fact.consent and not standing.consented:
        return None, "no_consent"
    if standing.age < 0:
        return None, "from_future"
    if fact.fresh_days is not None and standing.age > fact.fresh_days:
        return None, "stale"
    return value, _CHECKS[fact.kind](fact, value)


def _gap(fact: Fact, problem: str) -> model.Gap:
    return model.Gap(fact=fact.name, label=fact.label, source=fact.source, problem=problem)


def _unknown(source: str, given: model.SourceFacts, known: Catalogue) -> list[model.Gap]:
    """Names nobody declared, or declared for another source: something was said that we do not understand."""
    gaps, facts = [], known.facts
    for name in (*given.facts, *given.withheld):
        fact = facts.get(name)
        if fact is None or fact.source != source or source in COMPUTED:
            gaps.append(model.Gap(fact=name, label=name, source=source, problem="unknown"))
    for name in given.withheld:
        fact = facts.get(name)
        if fact is not None and fact.withheld is None:
            gaps.append(_gap(fact, "missing"))
    return gaps


_ORDERED = (
    ("bureau_queries_1m", "bureau_queries_6m"),
    ("product_min_amount", "product_max_amount"),
    ("product_min_term_months", "product_max_term_months"),
    ("product_min_age", "product_max_age"),
    ("product_rate_floor_bp", "product_rate_cap_bp"),
)
"""The first of a pair is never more than the second."""

_NEEDS_RECORD = (
    "bureau_history_months",
    "bureau_overdue_amount",
    "bureau_overdue_months_24m",
    "bureau_lenders_open",
    "bureau_balance",
)
"""Zero whenever the bureau says it has no record of the person."""


def _contradictions(values: Mapping[str, Value], known: Catalogue) -> list[model.Gap]:
    """Facts which cannot both be true; none of them is used then."""
    wrong: list[str] = []
    for low, high in _ORDERED:
        if low in values and high in values and values[low] > values[high]:  # type: ignore[operator]
            wrong += [low, high]
    if values.get("bureau_found") is False:
        denied = [name for name in _NEEDS_RECORD if values.get(name)]
        wrong += [*denied, "bureau_found"] if denied else []
    return [_gap(known[name], "contradictory") for name in wrong]


def spoken(fact: Fact, value: Value) -> str:
    """A value as a person says it: 12,000 元, 4.35%, 是, 12."""
    if fact.kind == "fen":
        yuan, fen = divmod(int(value), 100)
        return f"{yuan:,} 元" if not fen else f"{yuan:,}.{fen:02d} 元"
    if fact.kind == "bp":
        return f"{int(value) / 100:g}%"
    if fact.kind == "bool":
        return "是" if value else "否"
    if fact.labels:
        return fact.labels[fact.members.index(str(value))]
    return str(value)


def sentence(template: str, values: Mapping[str, Value], known: Catalogue) -> str:
    """Fill `{fact}` in a customer's sentence."""
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda found: spoken(known[found[1]], values[found[1]]), template)
