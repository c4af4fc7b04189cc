"""抽查: which automatic approvals a person looks at again, decided in the transaction that approves (D2-07)."""

from backend.core import clock
from backend.db.database import Tx
from backend.domains.decision.model import Capsule, Standing
from backend.domains.regulation import calendar
from backend.domains.regulation import service as regulation
from backend.domains.reviews import rechecks

NEAR_PERCENT = 95
_HARD_CAPS = ("product", "regulation")


async def sample_recheck(tx: Tx, application_id: str, decision_id: str, capsule: Capsule) -> None:
    """The customer's answer does not wait for it, and nothing about it changes by it."""
    rules = await regulation.in_force(tx, clock.today())
    triggers = [name for name, struck in _triggers(capsule).items() if struck]
    if rechecks.sampled(application_id, rules.rate("recheck.share")):
        triggers.append("sample")
    if triggers:
        due = await calendar.due(tx, rules.count("recheck.working_days"))
        await rechecks.open_recheck(tx, application_id, decision_id, triggers, due)


async def doubt_by_challenger(tx: Tx, application_id: str, decision_id: str) -> None:
    """A shadow would not have approved it: looked at again, of as many as `recheck.challenger_share` says. A second
    trigger joins the first; the approval stays as it is."""
    rules = await regulation.in_force(tx, clock.today())
    if rechecks.sampled(f"challenger {application_id}", rules.rate("recheck.challenger_share")):
        due = await calendar.due(tx, rules.count("recheck.working_days"))
        await rechecks.open_recheck(tx, application_id, decision_id, ["challenger"], due)


def _triggers(capsule: Capsule) -> dict[str, bool]:
    amount = capsule.decision.amount_fen or 0
    return {
        "near_cap": any(
            cap.name in _HARD_CAPS and amount * 100 >= cap.amount_fen * NEAR_PERCENT
            for cap in capsule.decision.caps
        ),
        "brown_out": any(
            isinstance(given.standing, Standing) and given.standing.rung != "fresh"
            for given in capsule.case.sources.values()
        ),
    }
