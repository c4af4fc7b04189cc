"""What a stage outside a decision says of a case: the types, and what stands for silence."""

import msgspec
from msgspec import UNSET, UnsetType

from backend.domains.decision import contracts
from backend.domains.decision.model import Gap, Reason, Stage, Step

ALLOWED, NOT_ALLOWED, ASK, NONE = "allowed", "not_allowed", "ask", "none"
SILENT = {
    Stage.MARKETING_GATE: NOT_ALLOWED,
    Stage.PRE_SCREEN: ASK,
    Stage.DRAWDOWN_CHECK: ASK,
    Stage.EARLY_WARNING: contracts.ACTIONS[0],
    Stage.COLLECTION: ASK,
}
"""The outcome where facts are missing or something of ours failed."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """How a collection case is worked on: days between contacts, and what forbids one now (`held`, codes)."""

    action: str
    channel: str
    pace_days: int
    held: list[str]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage says of a case.

    `outcome`: allowed | not_allowed | ask for the gates; none | watch | call | visit | freeze for early warning, the
    strictest of all `actions`; for collection the action, `none` while `contact.held` forbids it, or ask. `overlay` is
    the county's document that was asked beside the union's, unset where there is none (N4).
    """

    stage: str
    outcome: str
    actions: list[str]
    contact: Contact | None
    reasons: list[Reason]
    gaps: list[Gap]
    completeness_bp: int
    strategy: str
    catalogue: str
    code: str
    trace: list[Step]
    overlay: str | UnsetType = UNSET
