"""The shipped scenarios: what every version has to meet at first, and cases to make like pairs of where nobody has kept
any."""

from functools import cache
from importlib import resources
from typing import Any

import msgspec

from backend.domains.decision.model import Case
from backend.domains.strategies.model import Expected


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    """How one source differs from the base case's; `without` are facts it does not give."""

    facts: dict[str, Any] = {}
    without: list[str] = []
    observed_at: str = ""
    consent_id: str | None = ""
    withheld: list[str] | None = None


class _Scenario(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    expected: Expected
    case: dict[str, Any] = {}
    sources: dict[str, _Source | None] = {}


class _Shipped(msgspec.Struct):
    base: dict[str, Any]
    scenarios: list[_Scenario]


def scenarios(stage: str = "") -> list[tuple[str, Case, Expected]]:
    """(name, case, expected) of the shipped scenarios, of the decision ('') or of a stage outside it: one base case,
    and what each has different."""
    given = _moments().get(stage) if stage else _decision()
    return [(each.name, _case(given.base, each), each.expected) for each in given.scenarios] if given else []


def _decision() -> _Shipped:
    text = resources.files(__package__).joinpath("shipped_scenarios.json").read_bytes()
    return msgspec.json.decode(text, type=_Shipped)


def _moments() -> dict[str, _Shipped]:
    text = resources.files(__package__).joinpath("shipped_moments.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, _Shipped])


def _case(base: dict[str, Any], scenario: _Scenario) -> Case:
    sources: dict[str, Any] = {**base["sources"]}
    for name, change in scenario.sources.items():
        if change is None:
            sources.pop(name, None)
        else:
            sources[name] = _source(sources[name], change)
    return msgspec.convert({**base, **scenario.case, "sources": sources}, Case)


def _source(held: dict[str, Any], change: _Source) -> dict[str, Any]:
    facts_now = {k: v for k, v in {**held["facts"], **change.facts}.items() if k not in change.without}
    changed = {**held, "facts": facts_now}
    if change.observed_at:
        changed["observed_at"] = change.observed_at
    if change.consent_id != "":
        changed["consent_id"] = change.consent_id
    if change.withheld is not None:
        changed["withheld"] = change.withheld
    return changed


@cache
def of_decision() -> tuple[Case, ...]:
    return tuple(case for _, case, _ in scenarios())
