"""放弃草稿: drafts nobody came back to are given up after 90 days (D7)."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.domains.regulation import service as regulation
from backend.flows import finish_forgetting
from backend.flows.context import Context


async def give_up_drafts(context: Context) -> int:
    """Ends every draft untouched for longer than the rule says; returns how many."""
    async with context.db.read(everywhere("drafts")) as tx:
        days = (await regulation.in_force(tx, clock.today())).count("retention.abandoned_days")
        before = tx.now - timedelta(days=days)
        found = await applications.waiting_everywhere(tx, "draft", before)
    for institution_id, application_id in found:
        async with context.db.begin(system(institution_id, "drafts")) as tx:
            application = await applications.get(tx, application_id, lock=True)
            if application.status == "draft" and application.updated_at < before:
                receipts = await applications.archived_receipts(tx, application_id)
                await applications.forget(tx, application, f"untouched for {days} days")
                await finish_forgetting.order(tx, application_id, {application_id: receipts}, [])
    return len(found)
