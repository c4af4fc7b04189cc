"""A county's overlay at a moment: asked beside the union's document, its answer joined to the union's so that the whole
can only become tighter, whatever the overlay says (N4, A3-34).

As in a decision (`county.py`) the union's document has run, unchanged and on its own facts, before anything here is
asked. What "tighter" means is an order for each moment, and both answers meet at its stricter end:

- 营销触达: allowed < ask < not_allowed. A county can only have fewer people contacted.
- 预筛, 用信检查: allowed < ask < not_allowed. It can only send more to a person, or refuse more.
- 贷后预警: the actions of both layers together; the strictest is the level. It can only warn earlier and harder.
- 催收: here the danger is not too little pressure on a debtor but too much (D5), so tighter is gentler. A plan is
  an action, a channel and a pace; the county's counts only as a whole, where its action is no stronger (none < remind
  < negotiate < visit < legal) **and** its channel no more intrusive (none < app < sms < letter < call < visit) than
  the union's; it never mixes the two into a plan nobody wrote. Days between contacts are the longer of both. Whom the
  union's plan or the guard of hours and counts keeps from being contacted now, no overlay contacts: `held` adds up.
  A plan that asks for more than the union's is left aside and traced as `not_taken`. A county may go as far as no
  contact at all (a flood, a harvest): nothing is forgiven by that, drawdowns stay closed and warnings go on.

A fact only the county looks at and that is missing, or a failure of its document, counts as the stage's silence
(`assessment.SILENT`), joined in the same order.
"""

from typing import Any

import msgspec

from backend.domains.decision import conduct, contracts, county, explain, facts, features, gate
from backend.domains.decision.assessment import ALLOWED, ASK, NONE, NOT_ALLOWED, SILENT, Assessment, Contact
from backend.domains.decision.gate import Hit
from backend.domains.decision.model import COUNTY, Case, Reason, Stage

GATE = (ALLOWED, ASK, NOT_ALLOWED)
INTRUSION = ("none", "app", "sms", "letter", "call", "visit")
"""Channels, the least intrusive first."""
_AGAINST = {"decline": NOT_ALLOWED, "refer": ASK}


class Overlay(msgspec.Struct, frozen=True):
    """A county's compiled document with the facts it takes."""

    stage: gate.CompiledStage
    needed: facts.Needed
    features: tuple[str, ...]


def prepare(stage: Stage, document: Any, known: facts.Catalogue) -> Overlay:
    """Check and compile. Raises `StrategyRefused`."""
    compiled = gate.compile_stage(stage, document, known)
    # A plan of the county's is held by the guard as the union's is, on the same facts.
    looked = conduct.needs(stage) if stage is Stage.COLLECTION else frozenset()
    plain, computed = features.closure({*compiled.inputs, *looked})
    return Overlay(compiled, known.parcels(plain), computed)


def tighten(case: Case, floor: Assessment, overlay: Overlay, known: facts.Catalogue) -> Assessment:
    """The union's assessment with what the county adds. Never raises: what fails allows nothing."""
    return _Joined(case, floor, overlay, known).result()


class _Joined:
    def __init__(self, case: Case, floor: Assessment, overlay: Overlay, known: facts.Catalogue) -> None:
        self._stage, self._floor, self._known = Stage(floor.stage), floor, known
        self._hash = overlay.stage.hash
        self._layer = county.Layer(case, known, overlay.needed, overlay.features)
        self._reasons = list(floor.reasons)
        self._hits: list[Hit] = []
        self._contact = floor.contact
        if self._layer.gaps:
            self._layer.note(self._stage, "incomplete")
        else:
            self._layer.guarded(self._stage, lambda: self._ask(overlay))

    def _ask(self, overlay: Overlay) -> None:
        self._hits = self._layer.hits(overlay.stage)
        if self._stage is Stage.COLLECTION:
            for hit in self._hits:
                self._plan(hit)
        else:
            for hit in self._hits:
                self._say(explain.moment(hit, self._stage, self._layer.values, self._known))

    def _say(self, reason: Reason) -> None:
        if not any(county.same(reason, other) for other in self._reasons):
            self._reasons.append(msgspec.structs.replace(reason, layer=COUNTY))

    def _plan(self, hit: Hit) -> None:
        """The county's plan in place of the union's, where it is gentler in everything."""
        union = self._floor.contact
        if union is None:
            return  # nobody is contacted before a person has looked
        action, channel = str(hit.output["action"]), str(hit.output["channel"])
        if NONE in (action, channel):
            action = channel = NONE
        stronger = contracts.DUNNING.index(action) > contracts.DUNNING.index(union.action)
        if stronger or INTRUSION.index(channel) > INTRUSION.index(union.channel):
            self._layer.note(self._stage, "not_taken", table=hit.table, row=hit.row)
            return
        words = explain.moment(hit, self._stage, self._layer.values, self._known)
        found = conduct.violations(self._stage, self._layer.values, channel) if action != NONE else []
        added = [(code, why) for code, why in found if code not in union.held]
        same_plan = (action, channel) == (union.action, union.channel)
        if not same_plan:  # the union's words speak of another plan
            self._reasons = [each for each in self._reasons if each.code.startswith(explain.CONDUCT)]
        self._say(words)
        self._reasons += [explain.held(self._stage, code, why) for code, why in added]
        self._contact = Contact(
            action=action,
            channel=channel,
            pace_days=max(union.pace_days, int(hit.output["pace_days"])),
            held=[*union.held, *(code for code, _ in added)],
        )

    def result(self) -> Assessment:
        silent = bool(self._layer.gaps) or self._layer.broken
        outcome, actions, contact = self._outcome(silent=silent)
        told = explain.gaps(self._layer.gaps) + ([explain.by_hand()] if self._layer.broken else [])
        for reason in told:
            self._say(reason)
        return msgspec.structs.replace(
            self._floor,
            outcome=outcome,
            actions=actions,
            contact=contact,
            reasons=self._reasons,
            gaps=sorted({*self._floor.gaps, *self._layer.gaps}),
            trace=[*self._floor.trace, *self._layer.trace],
            overlay=self._hash,
        )

    def _outcome(self, *, silent: bool) -> tuple[str, list[str], Contact | None]:
        floor = self._floor
        if self._stage is Stage.COLLECTION:
            return self._collecting(silent=silent)
        if self._stage is Stage.EARLY_WARNING:
            found = {*floor.actions, *(str(hit.output["action"]) for hit in self._hits)}
            found |= {SILENT[self._stage]} if silent else set()
            actions = [each for each in contracts.ACTIONS if each in found]
            return actions[-1] if actions else NONE, actions, None
        said = [_AGAINST.get(str(hit.output["severity"]), ALLOWED) for hit in self._hits]
        said += [SILENT[self._stage]] if silent else []
        return max((floor.outcome, *said), key=GATE.index), [], None

    def _collecting(self, *, silent: bool) -> tuple[str, list[str], Contact | None]:
        if silent or self._contact is None:
            return ASK, [], None
        held = self._contact.held
        return (NONE if held else self._contact.action), [], self._contact
