"""补记手机银行的进展: events found by asking, which their callbacks may have lost (A5-05)."""

import msgspec

from backend.core.actor import system
from backend.core.errors import Problem, Unavailable
from backend.flows import apply_bank_events, receive_bank_event
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Event


class Taken(msgspec.Struct, frozen=True):
    """`healed`: never heard of before. `unexplained`: of an application unknown to us, or against the record."""

    healed: int
    unexplained: int


async def take_bank_events(context: Context, events: tuple[Event, ...]) -> Taken:
    """Through the same inbox as callbacks, so that whichever comes first counts."""
    healed = unexplained = 0
    touched: dict[str, str] = {}
    for event in events:
        try:
            if await receive_bank_event.receive_bank_event(context, event):
                healed += 1
            touched[event.application_id] = event.institution_id
        except Unavailable:
            raise
        except Problem:
            unexplained += 1
    for application_id, institution_id in touched.items():
        try:
            actor = system(institution_id, "reconcile")
            await apply_bank_events.apply_bank_events(context, actor, application_id)
        except Unavailable:
            raise
        except Problem:
            unexplained += 1
    return Taken(healed, unexplained)
