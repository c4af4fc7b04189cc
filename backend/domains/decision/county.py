"""A county's overlay beside the union's documents: whatever it says, the answer can only become tighter (N4, A3-34).

The union's stages have run, unchanged and on their own facts, before anything here is asked; `evaluate` then adds
what this module found: more reasons, the worse grade, more caps (the smallest counts), more gaps, and a price that
stays within the band head office opened. There is no path by which it could take anything away.

A worse grade asks the union's own limit and price, and the county's, again for that grade and keeps the lower limit and
the higher price, since no document promises that its caps fall with the grade.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from backend.core import clock
from backend.domains.decision import contracts, explain, facts, features, gate
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.facts import Value
from backend.domains.decision.gate import Hit
from backend.domains.decision.model import COUNTY, Cap, Case, Gap, PricePart, Reason, Stage, Step

WHOLE = 100_000
"""Limits are whole thousands of yuan, rounded down."""

SHOWN = "本行加减点"
_WORDS = ("text", "advice", "label")


class Floor(msgspec.Struct, frozen=True):
    """The union's finished result, as far as the county's documents look at it."""

    values: Mapping[str, Value]
    reasons: list[Reason]
    caps: list[Cap]
    price: list[PricePart]
    grade: str | None


class Added(msgspec.Struct):
    """What the county adds. `price`: all parts of a new price, None when it stays as it is."""

    grade: str | None
    reasons: list[Reason] = []
    caps: list[Cap] = []
    price: list[PricePart] | None = None
    gaps: list[Gap] = []
    trace: list[Step] = []
    broken: bool = False


def cap(hit: Hit) -> Cap:
    """A cap below zero is no room at all."""
    amount = max(0, int(hit.output["amount"]))
    return Cap(name=str(hit.output["cap"]), label=str(hit.output["label"]), amount_fen=amount)


def part(hit: Hit) -> PricePart:
    return PricePart(name=str(hit.output["part"]), label=str(hit.output["label"]), bp=int(hit.output["bp"]))


FIXED = ("product", "regulation", "requested")
"""Caps of product, law and the customer's own wish, as the union says them: no person goes above these, so they stay
readable beside a county's smaller one of that name, above which two people may go."""


def smallest(found: Iterable[Cap]) -> tuple[list[Cap], int]:
    """One cap a name, the smallest; those that bind marked; the amount in fen they leave."""
    caps: dict[tuple[str, bool], Cap] = {}
    for each in found:
        place = each.name, each.name in FIXED and each.layer == COUNTY
        known = caps.get(place)
        caps[place] = each if known is None or each.amount_fen < known.amount_fen else known
    least = min(each.amount_fen for each in caps.values())
    marked = [msgspec.structs.replace(each, binding=each.amount_fen == least) for each in caps.values()]
    return marked, least // WHOLE * WHOLE


def held(parts: list[PricePart], floor: int, cap_bp: int) -> tuple[list[PricePart], int]:
    """The parts and their sum, held between floor and cap by one more part where needed."""
    rate = sum(each.bp for each in parts)
    inside = min(max(rate, floor), cap_bp)
    if inside == rate:
        return parts, rate
    name, label = ("floor", "产品最低利率") if inside > rate else ("cap", "利率上限")
    return [*parts, PricePart(name=name, label=label, bp=inside - rate)], inside


def worse(one: str, other: str) -> str:
    """The worse of two grades."""
    return max(one, other, key=contracts.GRADES.index)


def run(case: Case, bundle: Bundle, floor: Floor) -> Added:
    """Ask the county's documents. Never raises: what fails costs the automatic approval."""
    return _County(case, bundle, floor).run()


class Layer:
    """A county's documents on their own facts: a gap here must not blind the union. Shared by the decision and by the
    moments outside it (`county_moments.py`); what fails is `broken`, never raised."""

    def __init__(
        self, case: Case, known: facts.Catalogue, needed: facts.Needed, computed: tuple[str, ...]
    ) -> None:
        self.known, self.broken = known, False
        self.trace: list[Step] = []
        checked = facts.check(case, needed, known)
        self.values: dict[str, Value] = dict(checked.values)
        self.gaps: list[Gap] = list(checked.gaps)
        try:
            features.extend(self.values, clock.local(case.as_of).date(), computed)
        except Exception:
            self.broken = True  # a date outside the calendar, and whatever else no fact should do

    def guarded(self, stage: Stage, step: Callable[[], None]) -> None:
        try:
            step()
        except gate.Unproven as unproven:
            self._give_up(stage, str(unproven))
        except Exception as error:
            self._give_up(stage, type(error).__name__)

    def _give_up(self, stage: Stage, code: str) -> None:
        self.broken = True
        self.note(stage, "error", output={"code": code})

    def note(self, stage: Stage, event: str, **more: Any) -> None:
        self.trace.append(Step(stage=stage, event=event, layer=COUNTY, **more))

    def hits(self, document: gate.CompiledStage) -> list[Hit]:
        """The rows that match; a neutral row that stands for silence is left out."""
        hits = gate.evaluate(document, self.values, self.known, partial=True)
        hits = [hit for hit in hits if hit.row != SILENT]
        for hit in hits:
            told = {name: value for name, value in hit.output.items() if name not in _WORDS}
            self.note(document.stage, "row", table=hit.table, row=hit.row, facts=hit.facts, output=told)
        self.note(document.stage, "complete")
        return hits


class _County:
    def __init__(self, case: Case, bundle: Bundle, floor: Floor) -> None:
        self._case, self._bundle, self._floor = case, bundle, floor
        self._layer = Layer(case, bundle.catalogue, bundle.county_needed, tuple(bundle.county_features))
        self._added = Added(floor.grade, gaps=self._layer.gaps, trace=self._layer.trace)
        for name in ("score", "grade"):
            if name in floor.values:
                self._layer.values[name] = floor.values[name]

    def run(self) -> Added:
        for stage in self._bundle.overlays:
            self._guarded(stage, _STAGES.get(stage, _County._rules))
        if self._added.grade != self._floor.grade:
            self._guarded(Stage.LIMIT, _County._limit_again)
            self._guarded(Stage.PRICING, _County._price_again)
        self._added.broken = self._layer.broken
        return self._added

    def _guarded(self, stage: Stage, step: Any) -> None:
        if stage in (Stage.RATING, Stage.LIMIT, Stage.PRICING) and self._floor.grade is None:
            return  # the union gave no grade: it has declined or referred already
        self._layer.guarded(stage, lambda: step(self, stage))

    def _hits(self, stage: Stage) -> list[Hit]:
        return self._layer.hits(self._bundle.overlays[stage])

    def _rules(self, stage: Stage) -> None:
        for hit in self._hits(stage):
            self._say(explain.rule(hit, stage, self._layer.values, self._bundle.catalogue))

    def _say(self, reason: Reason) -> None:
        if not any(same(reason, other) for other in (*self._floor.reasons, *self._added.reasons)):
            self._added.reasons.append(msgspec.structs.replace(reason, layer=COUNTY))

    def _rating(self, stage: Stage) -> None:
        for hit in self._hits(stage):
            assert self._added.grade is not None
            self._added.grade = worse(self._added.grade, str(hit.output["grade"]))
            severity = {"pass": "", "refer": "refer", "decline": "decline"}[str(hit.output["verdict"])]
            if severity:
                self._score_reasons(severity)

    def _score_reasons(self, severity: str) -> None:
        scored = self._bundle.card.score(self._floor.values)
        tell: dict[str, Any] = {"values": self._floor.values, "known": self._bundle.catalogue}
        minus = [
            explain.characteristic(n, self._case, plus=False, severity=severity, **tell)
            for _, n in scored.minus
        ]
        for reason in minus or [explain.low_score(severity)]:
            self._say(reason)

    def _by_grade(self, stage: Stage) -> list[list[Hit]]:
        """What the county's document says of the union's grade and of the county's worse one: both bind, as with the
        union's own caps."""
        assert self._floor.grade is not None
        assert self._added.grade is not None
        asks = "grade" in self._bundle.overlays[stage].inputs
        found = []
        for grade in dict.fromkeys((self._floor.grade, self._added.grade if asks else self._floor.grade)):
            self._layer.values["grade"] = grade
            found.append(self._hits(stage))
        return found

    def _limit(self, stage: Stage) -> None:
        for hits in self._by_grade(stage):
            self._added.caps += [msgspec.structs.replace(cap(hit), layer=COUNTY) for hit in hits]

    def _pricing(self, stage: Stage) -> None:
        low, high = self._bundle.price_band or (0, 0)
        asked = max(sum(int(hit.output["bp"]) for hit in hits) for hits in self._by_grade(stage))
        own = min(max(asked, low), high)
        if own:
            plain = [each for each in self._floor.price if each.name not in ("floor", "cap")]
            self._added.price = [*plain, PricePart(name=COUNTY, label=SHOWN, bp=own, layer=COUNTY)]

    def _again(self, stage: Stage) -> list[Hit]:
        """The union's own document for the worse grade."""
        assert self._added.grade is not None
        values = {**self._floor.values, "grade": self._added.grade}
        return gate.evaluate(self._bundle.stages[stage], values, self._bundle.catalogue)

    def _limit_again(self, stage: Stage) -> None:
        if self._floor.caps:
            again = [cap(hit) for hit in self._again(stage)]
            self._added.caps += [msgspec.structs.replace(each, layer=COUNTY) for each in again]

    def _price_again(self, stage: Stage) -> None:
        """The price of the worse grade where it is the higher one, with the county's own part on top."""
        if not self._floor.price:
            return
        own = [each for each in self._added.price or [] if each.layer == COUNTY]
        again = [part(hit) for hit in self._again(stage)]
        plain = [each for each in self._floor.price if each.name not in ("floor", "cap")]
        dearer = sum(each.bp for each in again) > sum(each.bp for each in plain)
        self._added.price = [*(again if dearer else plain), *own]


def same(one: Reason, other: Reason) -> bool:
    """Whether the customer would read the same twice."""
    return (one.code, one.text, one.severity) == (other.code, other.text, other.severity)


SILENT = "silent"
"""Row of a `first` table of an overlay that says nothing: without it zen could not tell silence from failure."""

_STAGES = {Stage.RATING: _County._rating, Stage.LIMIT: _County._limit, Stage.PRICING: _County._pricing}
