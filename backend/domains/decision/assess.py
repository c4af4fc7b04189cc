"""The stages asked outside a decision: may we write to this person, does a prospect pass, may this drawdown go out,
what does a loan's day say, how is an overdue case contacted (A6-06, A6-07).

Same documents, same checks, same gate as a decision. Pure and synchronous; equal case and equal versions give
equal bytes. Absence never allows: no message, a person for a prospect or a drawdown, a watch for a loan, no contact.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from backend.core import clock
from backend.domains.decision import (
    bundle,
    conduct,
    contracts,
    county_moments,
    explain,
    facts,
    features,
    gate,
    lint,
)
from backend.domains.decision.assessment import ALLOWED, ASK, NONE, NOT_ALLOWED, SILENT, Assessment, Contact
from backend.domains.decision.facts import Value
from backend.domains.decision.model import MOMENTS, Case, Reason, Stage, Step

_WORDS = ("text", "advice")


class Prepared(msgspec.Struct, frozen=True):
    """One compiled document with the facts it takes, and the county's beside it, if there is one."""

    stage: gate.CompiledStage
    catalogue: facts.Catalogue
    needed: facts.Needed
    features: tuple[str, ...]
    code: str
    overlay: county_moments.Overlay | None = None


def prepare(
    stage: Stage,
    document: Any,
    *,
    catalogue: facts.Catalogue | None = None,
    code: str = "",
    library: lint.Library = lint.NOTHING,
    overlay: Any = None,
) -> Prepared:
    """Check and compile. `overlay`: a county's document. Raises `StrategyRefused`."""
    known = catalogue or facts.catalogue()
    compiled = gate.compile_stage(stage, document, known, library)
    plain, computed = features.closure({*compiled.inputs, *conduct.needs(stage)})
    needed = known.parcels(plain)  # an answer is taken whole, as in `bundle`
    beside = None if overlay is None else county_moments.prepare(stage, overlay, known)
    return Prepared(compiled, known, needed, computed, code or bundle.code_version(), beside)


def seeded_document(stage: Stage) -> Any:
    folder = resources.files(__package__) / "strategies" / bundle.SEEDED
    return msgspec.json.decode((folder / f"{stage}.json").read_bytes())


@cache
def seeded() -> dict[Stage, Prepared]:
    """The first versions, shipped with the code."""
    return {stage: prepare(stage, seeded_document(stage)) for stage in MOMENTS}


def assess(stage: Stage, case: Case, using: Mapping[Stage, Prepared]) -> Assessment:
    """Never raises for anything in the case: what cannot be understood allows nothing."""
    prepared = using[stage]
    said = _Run(stage, case, prepared).result()
    if prepared.overlay is None:
        return said
    return county_moments.tighten(case, said, prepared.overlay, prepared.catalogue)


def unusable(stage: Stage, code: str = "") -> Assessment:
    """What is said where the stage's document no longer passes our checks: nothing is allowed, a person looks."""
    silent = SILENT[stage]
    return Assessment(
        stage=stage,
        outcome=silent,
        actions=[silent] if stage is Stage.EARLY_WARNING else [],
        contact=None,
        reasons=[explain.by_hand()],
        gaps=[],
        completeness_bp=0,
        strategy="",
        catalogue=facts.catalogue().hash,
        code=code or bundle.code_version(),
        trace=[Step(stage=stage, event="error", output={"code": "unusable"})],
    )


class _Run:
    """The state of one assessment."""

    def __init__(self, stage: Stage, case: Case, using: Prepared) -> None:
        self._stage, self._using = stage, using
        self._trace: list[Step] = []
        self._reasons: list[Reason] = []
        self._broken = False
        checked = facts.check(case, using.needed, using.catalogue)
        self._values: dict[str, Value] = checked.values
        self._usable = len(checked.values)
        self._gaps = sorted(set(checked.gaps))
        self._hits: list[gate.Hit] = []
        try:
            features.extend(self._values, clock.local(case.as_of).date(), using.features)
            self._take()
        except Exception as error:
            # Whatever went wrong is ours; it allows nothing and refuses nobody for good.
            self._give_up("error", type(error).__name__)

    def _take(self) -> None:
        if self._gaps:
            self._trace.append(Step(stage=self._stage, event="incomplete"))
            return
        try:
            ran = gate.run(self._using.stage, self._values, self._using.catalogue)
        except gate.Unproven as unproven:
            self._give_up("error", str(unproven))
            return
        self._hits = ran.hits
        self._trace += ran.way
        for hit in self._hits:
            told = {name: value for name, value in hit.output.items() if name not in _WORDS}
            row = {"table": hit.table, "row": hit.row}
            self._trace.append(Step(stage=self._stage, event="row", facts=hit.facts, output=told, **row))
            reason = explain.moment(hit, self._stage, self._values, self._using.catalogue)
            if reason not in self._reasons:
                self._reasons.append(reason)
        self._trace.append(Step(stage=self._stage, event="complete"))

    def _give_up(self, event: str, code: str) -> None:
        self._broken = True
        self._trace.append(Step(stage=self._stage, event=event, output={"code": code}))

    def result(self) -> Assessment:
        outcome, actions, contact = self._outcome()
        reasons = self._reasons + explain.gaps(self._gaps)
        if self._broken:
            reasons.append(explain.by_hand())
        return Assessment(
            stage=self._stage,
            outcome=outcome,
            actions=actions,
            contact=contact,
            reasons=reasons,
            gaps=self._gaps,
            completeness_bp=self._usable * 10_000 // max(1, len(self._using.needed)),
            strategy=self._using.stage.hash,
            catalogue=self._using.catalogue.hash,
            code=self._using.code,
            trace=self._trace,
        )

    def _outcome(self) -> tuple[str, list[str], Contact | None]:
        if self._gaps or self._broken:
            silent = SILENT[self._stage]
            return silent, [silent] if self._stage is Stage.EARLY_WARNING else [], None
        if self._stage is Stage.EARLY_WARNING:
            found = {str(hit.output["action"]) for hit in self._hits}
            actions = [action for action in contracts.ACTIONS if action in found]
            return actions[-1] if actions else NONE, actions, None
        if self._stage is Stage.COLLECTION:
            contact = self._contact()
            return (NONE if contact.held else contact.action), [], contact
        return self._gate(), [], None

    def _gate(self) -> str:
        severities = {reason.severity for reason in self._reasons}
        if "decline" in severities:
            return NOT_ALLOWED
        if "refer" in severities:
            return ASK
        if self._forbidden():
            self._broken = True  # the tables would have allowed it: they are wrong, or we are
            return SILENT[self._stage]
        return ALLOWED

    def _contact(self) -> Contact:
        output = self._hits[0].output
        channel, held = str(output["channel"]), []
        if output["action"] == NONE:
            channel = NONE  # whoever is not to be contacted is not called either
        else:
            held = self._forbidden(channel)
        return Contact(
            action=str(output["action"]), channel=channel, pace_days=int(output["pace_days"]), held=held
        )

    def _forbidden(self, way: str = "") -> list[str]:
        """Codes of what forbids it whatever the tables say; each is told and traced."""
        found = conduct.violations(self._stage, self._values, way)
        for code, why in found:
            self._trace.append(Step(stage=self._stage, event="held", output={"code": code}))
            self._reasons.append(explain.held(self._stage, code, why))
        return [code for code, _ in found]
