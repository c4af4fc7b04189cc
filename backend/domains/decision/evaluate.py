"""One decision: facts checked, five stages, one outcome with all its reasons (A3-30, A6-01…A6-05).

Pure and synchronous, about half a millisecond of CPU with its trace; it holds the GIL, so many decisions a
second want more processes, not threads. Equal case and equal versions give equal bytes, always.
"""

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from backend.core import clock
from backend.domains.decision import county, explain, facts, features, gate, guard, scorecard
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.facts import Value
from backend.domains.decision.model import (
    DECIDING,
    FORMAT,
    Cap,
    Capsule,
    Case,
    Decision,
    Offer,
    Outcome,
    PricePart,
    Reason,
    Stage,
    Standing,
    Step,
)


class Said:
    """What was found of sources, what was computed on which day, and what documents said of their inputs, by document
    and inputs: the same again, for who decides like cases in a row by one bundle. `told`: for the first of them, whose
    trace says everything."""

    __slots__ = ("checked", "computed", "ran", "told")

    def __init__(self, *, told: bool = False) -> None:
        self.checked: facts.Kept = {}
        self.computed: tuple[date, Mapping[str, Value]] | None = None
        self.ran: dict[tuple[object, ...], gate.Ran] = {}
        self.told = told


def evaluate(
    case: Case, bundle: Bundle, *, deadline: float | None = None, said: Said | None = None
) -> Capsule:
    """Decide. `deadline` is a `time.monotonic()` moment; a stage not begun by then is left to a person.

    Never raises for anything in the case: what cannot be understood is referred. `said` is read and added to; the trace
    then leaves out what documents said, unless it is to be `told`.
    """
    run = _Run(case, bundle, said)
    for stage in DECIDING:
        late = not case.interrupted_at and deadline is not None and time.monotonic() > deadline
        if late:
            case = msgspec.structs.replace(case, interrupted_at=str(stage))
        if case.interrupted_at == stage:
            run.give_up(stage, "interrupted", "deadline")
            break
        run.take(stage)
    if bundle.overlays and not case.interrupted_at:
        run.tighten()
    return Capsule(format=FORMAT, case=case, decision=run.decide())


def at_most(case: Case, bundle: Bundle, said: Said) -> int | None:
    """What the limit leaves of this case, in fen: no decision on it approves more, whatever the other stages and the
    county say, since they only take away. None where there is no grade to give a limit to."""
    return _Run(case, bundle, said).most()


WHOLE = county.WHOLE
_WORDS = ("text", "advice", "label")
"""Output columns for people; the trace keeps what decided."""


class _Run:
    """The state of one decision while its stages run."""

    def __init__(self, case: Case, bundle: Bundle, said: Said | None) -> None:
        self._case, self._bundle, self._said = case, bundle, said
        self._known = bundle.catalogue
        self._reasons: list[Reason] = []
        self._trace: list[Step] = []
        self._caps: list[Cap] = []
        self._price: list[PricePart] = []
        self._grade: str | None = None
        self._score: int | None = None
        self._amount: int | None = None
        self._rate: int | None = None
        self._complete: set[Stage] = set()
        self._broken = False
        kept = said.checked if said else None
        checked = facts.check(case, bundle.needed, bundle.catalogue, kept=kept)
        self._values: dict[str, Value] = checked.values
        self._usable = len(checked.values)
        self._gaps = sorted(set(checked.gaps))
        self._standing_caps = _standing_caps(case)
        if any(cap.amount_fen <= 0 for cap in self._standing_caps):
            self._reasons.append(explain.stood_in())
        try:
            self._compute(clock.local(case.as_of).date())
        except (ValueError, OverflowError):
            self._broken = True  # a date outside the calendar; features not computed stay missing

    def _compute(self, today: date) -> None:
        if self._said is None:
            features.extend(self._values, today, self._bundle.features)
            return
        day, before = self._said.computed or (today, None)
        features.extend(self._values, today, self._bundle.features, before if day == today else None)
        if before is None:
            self._said.computed = today, dict(self._values)

    def give_up(self, stage: Stage, event: str, code: str) -> None:
        self._broken = True
        self._trace.append(Step(stage=stage, event=event, output={"code": code}))

    def take(self, stage: Stage) -> None:
        """Run one stage if all it needs is there. An error costs the automatic answer, never the case."""
        if stage in (Stage.LIMIT, Stage.PRICING) and self._grade is None:
            return
        if not all(map(self._values.__contains__, self._bundle.stage_needs[stage])):
            self._trace.append(Step(stage=stage, event="incomplete"))
            return
        try:
            _STAGES[stage](self)
        except gate.Unproven as unproven:
            self.give_up(stage, "error", str(unproven))
        except Exception as error:
            # Whatever went wrong, the applicant must not be refused or granted for it.
            self.give_up(stage, "error", type(error).__name__)
        else:
            self._complete.add(stage)
            self._trace.append(Step(stage=stage, event="complete"))

    def _hits(self, stage: Stage) -> list[gate.Hit]:
        ran = self._ran(self._bundle.stages[stage])
        if self._said is not None and not self._said.told:
            return ran.hits
        self._trace += ran.way
        for hit in ran.hits:
            told = {name: value for name, value in hit.output.items() if name not in _WORDS}
            step = Step(stage=stage, event="row", table=hit.table, row=hit.row, facts=hit.facts, output=told)
            self._trace.append(step)
        return ran.hits

    def _ran(self, document: gate.CompiledStage) -> gate.Ran:
        if self._said is None:
            return gate.run(document, self._values, self._known)
        asked = (document.hash, *map(self._values.get, document.inputs))
        ran = self._said.ran.get(asked)
        if ran is None:
            ran = self._said.ran[asked] = gate.run(document, self._values, self._known)
        return ran

    def _rules(self, stage: Stage) -> None:
        for hit in self._hits(stage):
            reason = explain.rule(hit, stage, self._values, self._known)
            if reason not in self._reasons:
                self._reasons.append(reason)

    def fraud_check(self) -> None:
        self._rules(Stage.FRAUD_CHECK)

    def eligibility(self) -> None:
        self._rules(Stage.ELIGIBILITY)

    def rating(self) -> None:
        scored, severity = self._graded()
        told = scored.minus if severity != "note" else scored.minus[:2]
        tell: dict[str, Any] = {"values": self._values, "known": self._known}
        minus = [
            explain.characteristic(n, self._case, plus=False, severity=severity, **tell) for _, n in told
        ]
        self._reasons += minus or ([explain.low_score(severity)] if severity != "note" else [])
        if severity == "note":
            self._reasons += [
                explain.characteristic(n, self._case, plus=True, severity="note", **tell)
                for _, n in scored.plus
            ]

    def _graded(self) -> tuple[scorecard.Scored, str]:
        """The score with what moved it, and the severity of its verdict; the grade is set unless it declines."""
        scored = self._bundle.card.score(self._values)
        self._values["score"] = scored.score
        found = {name: self._values[name] for name in self._bundle.card.inputs}
        self._trace.append(
            Step(stage=Stage.RATING, event="score", facts=found, output={"score": scored.score})
        )
        output = self._hits(Stage.RATING)[0].output
        self._score, verdict = scored.score, output["verdict"]
        severity = {"pass": "note", "refer": "refer", "decline": "decline"}[str(verdict)]
        if severity != "decline":
            self._grade = self._values["grade"] = str(output["grade"])
        return scored, severity

    def most(self) -> int | None:
        """Grade and limit alone; None where there is none, or something went wrong, which approves nobody either."""
        needs = (*self._bundle.stage_needs[Stage.RATING], *self._bundle.stage_needs[Stage.LIMIT])
        if not all(map(self._values.__contains__, needs)):
            return None
        try:
            self._graded()
            if self._grade is not None:
                self.limit()
        except Exception:
            return None
        return self._amount

    def limit(self) -> None:
        """The smallest of all caps, rounded down; every cap stays visible (A6-03)."""
        asked = Cap(name="requested", label="您申请的金额", amount_fen=int(self._values["requested_amount"]))
        rows = self._hits(Stage.LIMIT)
        self._settle_limit([*(county.cap(hit) for hit in rows), asked, *self._standing_caps])

    def _settle_limit(self, found: list[Cap]) -> None:
        self._caps, self._amount = county.smallest(found)
        binding = next(cap for cap in self._caps if cap.binding)
        if self._amount < int(self._values["product_min_amount"]):
            # Where income could not be judged, a small cap is a question for a person, not an answer.
            # Nor is one that only stands because a source was away (N19).
            open_question = any(reason.severity == "refer" for reason in self._reasons)
            stands_in = binding.name.startswith("standing_")
            severity = "refer" if open_question or stands_in else "decline"
            self._reasons.append(
                explain.too_small(binding, int(self._values["product_min_amount"]), severity)
            )
        elif not any(cap.binding and cap.name == "requested" for cap in self._caps):
            self._reasons.append(explain.bound(binding))

    def pricing(self) -> None:
        """The sum of the parts, held inside the band (A6-04)."""
        self._settle_price([county.part(hit) for hit in self._hits(Stage.PRICING)])

    def _settle_price(self, parts: list[PricePart]) -> None:
        floor, cap = int(self._values["product_rate_floor_bp"]), int(self._values["rate_cap_bp"])
        self._price, self._rate = county.held(parts, floor, cap)

    def tighten(self) -> None:
        """What the county's own documents say, added to the union's finished result (N4)."""
        before = county.Floor(
            values=self._values, reasons=self._reasons, caps=self._caps, price=self._price, grade=self._grade
        )
        found = county.run(self._case, self._bundle, before)
        self._trace += found.trace
        self._broken = self._broken or found.broken
        self._gaps = sorted({*self._gaps, *found.gaps})
        self._grade = found.grade
        if found.caps:
            self._lower(found.caps)
        self._reasons += [reason for reason in found.reasons if reason not in self._reasons]
        if found.price is not None and self._rate is not None:
            self._settle_price(found.price)

    def _lower(self, caps: list[Cap]) -> None:
        """More caps beside the union's. An answer already against the customer stays as it is."""
        smallest = int(self._values["product_min_amount"])
        if self._amount is not None and self._amount >= smallest:
            limits = (str(Stage.LIMIT), "note")
            self._reasons = [each for each in self._reasons if (each.stage, each.severity) != limits]
            self._settle_limit([*self._caps, *caps])
        elif self._amount is not None:
            self._caps, self._amount = county.smallest([*self._caps, *caps])

    def _offer(self) -> Offer | None:
        if not self._amount or self._rate is None:
            return None
        term = int(self._values["requested_term_months"])
        return Offer(amount_fen=self._amount, annual_rate_bp=self._rate, term_months=term)

    def decide(self) -> Decision:
        """Any decline declines; else anything unsure refers; an approval must be earned by every stage."""
        offer = self._offer()
        declined = any(reason.severity == "decline" for reason in self._reasons)
        unsure = self._broken or self._gaps or any(reason.severity == "refer" for reason in self._reasons)
        if not declined and not unsure:
            self._check_approval(offer)
            unsure = self._broken
        outcome = Outcome.DECLINED if declined else Outcome.REFERRED if unsure else Outcome.APPROVED
        approved = offer if outcome is Outcome.APPROVED else None
        return Decision(
            outcome=outcome,
            product=self._case.product,
            amount_fen=approved.amount_fen if approved else None,
            annual_rate_bp=approved.annual_rate_bp if approved else None,
            term_months=approved.term_months if approved else None,
            grade=self._grade,
            score=self._score,
            reasons=self._told(outcome),
            caps=self._caps,
            price=self._price,
            proposal=offer if outcome is Outcome.REFERRED else None,
            gaps=self._gaps,
            completeness_bp=self._usable * 10_000 // len(self._bundle.needed),
            versions=self._bundle.versions,
            trace=self._trace,
        )

    def _check_approval(self, offer: Offer | None) -> None:
        if offer is None or self._complete != set(DECIDING):
            self.give_up(Stage.PRICING, "error", "stage_without_result")
            return
        if any(offer.amount_fen > cap.amount_fen for cap in self._standing_caps):
            self.give_up(Stage.PRICING, "error", "guard_above_a_standing_cap")
        for name in guard.violations(offer, self._values, self._caps):
            self.give_up(Stage.PRICING, "error", f"guard_{name}")

    def _told(self, outcome: Outcome) -> list[Reason]:
        """The reasons of this outcome first; a decline is not softened or blurred by other notes."""
        told = list(self._reasons)
        if outcome is Outcome.DECLINED:
            return [reason for reason in told if reason.severity == "decline"]
        told += explain.gaps(self._gaps)
        if self._broken:
            told.append(explain.by_hand())
        if outcome is Outcome.REFERRED:
            told = [reason for reason in told if reason.severity == "refer"]
        return told


def _standing_caps(case: Case) -> list[Cap]:
    """One cap per source that something else stood in for: such answers carry an approval only so far (N19)."""
    return [
        Cap(name=f"standing_{source}", label="资料不全时的上限", amount_fen=given.standing.cap_fen)
        for source, given in sorted(case.sources.items())
        if isinstance(given.standing, Standing) and given.standing.cap_fen is not None
    ]


_STAGES = {
    Stage.FRAUD_CHECK: _Run.fraud_check,
    Stage.ELIGIBILITY: _Run.eligibility,
    Stage.RATING: _Run.rating,
    Stage.LIMIT: _Run.limit,
    Stage.PRICING: _Run.pricing,
}
