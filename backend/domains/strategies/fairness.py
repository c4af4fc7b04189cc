"""公平定价 (D3-03): like customers get like grades, limits and prices, whatever else they are.

The lint keeps a protected fact out of tables and scorecards by its name; this looks at what comes out. Each case
is decided again with one protected fact changed (age, occupation, device, family …), and score, grade, caps and price
must be the same to the last basis point. Whether such a fact may admit or refuse somebody is another question, for
which eligibility and anti-fraud have their rules.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from backend.domains.decision import evaluate, facts, features
from backend.domains.decision.bundle import ALWAYS, Bundle
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Case, Decision, Stage, canonical
from backend.domains.strategies.model import Finding

PROTECTED = (
    "birth_on",
    "occupation",
    "purpose",
    "household_members",
    "device_customers_30d",
    "person_applications_30d",
    "address_applications_90d",
    "sex",
    "nation",
    "channel",
)
"""Never a ground of price, whatever the catalogue of the day says; names it does not have are passed over."""
_PRICING = (Stage.RATING, Stage.LIMIT, Stage.PRICING)
_AGES = (22, 35, 50, 58)


def check(cases: Iterable[Case], bundle: Bundle) -> list[Finding]:
    """A finding for each protected fact that moved a grade, limit or price; at most one a fact."""
    known = bundle.catalogue
    names = {
        *PROTECTED,
        *(f.name for f in known.facts.values() if not f.price and f.source not in facts.COMPUTED),
    }
    looked_at, found = names & _reach(bundle), dict[str, Finding]()
    for case in _unlike(cases, names):
        plain = _priced(evaluate.evaluate(case, bundle).decision)
        for fact, value, other in _variants(case, known, sorted(looked_at - set(found))):
            if fact.name in found:
                continue
            moved = _priced(evaluate.evaluate(other, bundle).decision)
            if moved["gaps"] == plain["gaps"] and (what := _difference(plain, moved)):
                held = case.sources[fact.source].facts[fact.name]
                said = (
                    f"其他都一样，{fact.label}从 {_said(fact, held)} 换成 {_said(fact, value)}，{what}就不同"
                )
                found[fact.name] = Finding(kind="fairness", place=f"{fact.label}不能影响定价", sentence=said)
    return list(found.values())


def _reach(bundle: Bundle) -> set[str]:
    """The facts behind anything that rating, limit and pricing are given (a stage is given nothing but its inputs): no
    other could move what comes out, so the others need not be tried."""
    stages = [held[stage] for held in (bundle.stages, bundle.overlays) for stage in _PRICING if stage in held]
    given = {name for stage in stages for name in stage.inputs} | set(bundle.card.inputs) | set(ALWAYS)
    plain, _ = features.closure({name for name in given if bundle.catalogue[name].source != "stage"})
    return set(plain)


def _unlike(cases: Iterable[Case], names: Collection[str]) -> list[Case]:
    """One of each that differ in nothing but facts that must not count: their variants would be the same customers."""
    found: dict[bytes, Case] = {}
    for case in cases:
        sources = {
            name: msgspec.structs.replace(
                given, facts={key: value for key, value in given.facts.items() if key not in names}
            )
            for name, given in case.sources.items()
        }
        found.setdefault(canonical(msgspec.structs.replace(case, sources=sources)), case)
    return list(found.values())


def _priced(decision: Decision) -> dict[str, Any]:
    return {
        "gaps": decision.gaps,
        "评分": decision.score,
        "等级": decision.grade,
        "额度": sorted((cap.name, cap.amount_fen) for cap in decision.caps),
        "利率": sorted((part.name, part.bp) for part in decision.price),
    }


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "、".join(name for name in ("评分", "等级", "额度", "利率") if one[name] != other[name])


def _variants(case: Case, known: Catalogue, names: list[str]) -> Iterator[tuple[Fact, Any, Case]]:
    """The case with one fact changed to each of a few other values it may have."""
    for name in names:
        fact = known.facts.get(name)
        given = case.sources.get(fact.source) if fact else None
        if fact is None or given is None or name not in given.facts:
            continue
        for value in _others(fact, given.facts[name], case):
            changed = msgspec.structs.replace(given, facts={**given.facts, name: value})
            sources = {**case.sources, fact.source: changed}
            yield fact, value, msgspec.structs.replace(case, sources=sources)


def _others(fact: Fact, value: Any, case: Case) -> list[Any]:
    if fact.kind == "enum":
        return [member for member in fact.members if member != value][:6]
    if fact.kind == "bool":
        return [not value] if isinstance(value, bool) else []
    if fact.kind == "date":
        year = case.as_of.year
        return [date(year - age, 6, 15).isoformat() for age in _AGES] if fact.name == "birth_on" else []
    return [each for each in (fact.low, fact.low + 2, min(fact.high, fact.low + 20)) if each != value]


def _said(fact: Fact, value: Any) -> str:
    return str(value) if fact.kind == "date" else facts.spoken(fact, value)
