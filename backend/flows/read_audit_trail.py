"""审计记录: an auditor reads the chain by person, kind, case and time; that it was read is the chain's next row
(ASVS 16.4.2, D3-15)."""

from contextlib import suppress

import msgspec

from backend.core.actor import Actor
from backend.core.errors import NotFound
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationNotFound
from backend.domains.audit import service as audit
from backend.domains.audit.service import Filter, Seen, Walked
from backend.domains.contracts import service as contracts
from backend.domains.identity.model import NotYours
from backend.flows.context import Context

READERS = ("auditor", "head_office_admin")
PAGE = 50


class Trail(msgspec.Struct, frozen=True):
    """`next_before` is the key of the page after this one; None when there is none."""

    entries: tuple[Seen, ...]
    next_before: int | None


async def read_audit_trail(
    context: Context, actor: Actor, wanted: Filter, case: str, before: int | None
) -> Trail:
    """`case` is an application's number, or any other subject as the chain names it. Raises `NotYours`."""
    _require_reader(actor)
    async with context.db.begin(actor) as tx:
        subjects = await _subjects(tx, case) if case else ()
        found = await audit.trail(tx, msgspec.structs.replace(wanted, subjects=subjects), before, PAGE + 1)
        audit.add(
            tx,
            "audit.read",
            case if len(subjects) > 1 else "audit",
            person=wanted.actor or wanted.actor_kind,
            kind=wanted.kind,
            before=before,
            count=len(found[:PAGE]),
        )
    shown = tuple(found[:PAGE])
    return Trail(shown, shown[-1].seq if len(found) > PAGE else None)


async def walk_audit_chain(context: Context, actor: Actor) -> Walked:
    """The whole chain of the actor's institution, link by link. Raises `NotYours`."""
    _require_reader(actor)
    async with context.db.begin(actor) as tx:
        walked = await audit.walk(tx, actor.institution_id)
        audit.add(tx, "audit.verified", "audit", count=walked.total, broken=len(walked.rows))
    return walked


def _require_reader(actor: Actor) -> None:
    if not actor.has(*READERS):
        raise NotYours()


async def _subjects(tx: Tx, case: str) -> tuple[str, ...]:
    """Everything the chain calls one case: its number, its id, its person, its contract."""
    try:
        application = await applications.by_number(tx, case)
    except ApplicationNotFound:
        return (case,)
    names = [application.application_no, application.id, application.customer_id]
    with suppress(NotFound):
        names.append((await contracts.get(tx, application.id)).contract_no)
    return tuple(name for name in names if name)
