"""再送一次: a member of staff puts a dead letter back in line (trust 1)."""

from backend.core import ids
from backend.core.actor import Actor
from backend.core.errors import Invalid, NotFound
from backend.domains.audit import service as audit
from backend.flows.context import Context
from backend.outbox import effects

SHORTEST_REASON, LONGEST_REASON = 4, 200


class DeadLetterMissing(NotFound):
    code = "dead_letter_missing"
    message = "没有找到这件，或者已经有人再送过了"


async def revive_effect(context: Context, actor: Actor, effect_id: str, reason: str) -> None:
    """`reason` goes into the audit log. Raises `Invalid` without one; `DeadLetterMissing` for an id that is
    unknown, another institution's, or not dead any more."""
    reason = reason.strip()[:LONGEST_REASON]
    async with context.db.begin(actor) as tx:
        if not ids.is_uuid(effect_id) or not await effects.is_dead(tx, effect_id):
            raise DeadLetterMissing()
        if len(reason) < SHORTEST_REASON:
            raise Invalid(fields={"reason": "请写明为什么再送一次"})
        if not await effects.revive(tx, effect_id):
            raise DeadLetterMissing()
        audit.add(tx, "effect.revived", effect_id, reason=reason)
