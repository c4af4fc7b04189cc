"""补授权: consents that ran out or were taken back before the draft was handed in are asked for again (D3-09)."""

from collections.abc import Mapping

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.applications.model import StepMissing
from backend.domains.customers import consents
from backend.flows import prove_phone
from backend.flows.context import Context


async def renew_consents(
    context: Context, actor: Actor, application_id: str, ticked: Mapping[str, str]
) -> None:
    """Record those of the road's required consents that are missing, with the very words shown.

    `ticked` maps purpose to the version whose text was shown. Raises `ConsentsIncomplete`, `StepMissing`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "details")
        if application.customer_id is None:
            raise StepMissing(step="identity")
        missing = await consents.missing(tx, application.customer_id)
        texts = tuple(text for text in await consents.road(tx) if text.purpose in missing)
        for text in prove_phone.agreed(texts, ticked):
            await consents.give(
                tx,
                application.customer_id,
                text.purpose,
                text_sha256=text.sha256,
                channel=prove_phone.CHANNEL,
            )
        if texts:
            await applications.note(tx, application, "consents_renewed", ",".join(missing))
