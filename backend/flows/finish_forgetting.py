"""匿名的后半: what lies with others of somebody who was forgotten goes too, until they say that it is gone."""

from collections.abc import Mapping

from backend.core.actor import everywhere, system
from backend.db.database import Tx
from backend.domains.channels import forgetting
from backend.domains.customers import service as customers
from backend.domains.institutions.model import UNION
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "person.forget"


async def order(tx: Tx, about: str, receipts: Mapping[str, list[str]], openids: list[str]) -> None:
    """In the transaction that forgets. `about` is the person or the case, `receipts` the archive's marks by case."""
    wanted = {case: marks for case, marks in receipts.items() if marks}
    if wanted or openids:
        payload: dict[str, object] = {"receipts": wanted, "openids": openids}
        await effects.add(tx, kind=KIND, case_id=about, key=f"forget:{about}", payload=payload)


async def finish_forgetting(context: Context, effect: Effect) -> None:
    """Delivers the effect; what it carried is forgotten with the last step."""
    receipts, openids = effect.payload.get("receipts", {}), effect.payload.get("openids", [])
    assert isinstance(receipts, dict)
    assert isinstance(openids, list)
    archive = context.clients.image_archive
    for case_id, marks in sorted(receipts.items()):
        for image in await archive.find(institution_id=effect.institution_id, case_id=case_id):
            if image.receipt in marks:
                await archive.remove(image.image_id, key=f"{effect.key}:{image.image_id}")
    async with context.db.read(everywhere("forget")) as tx:
        free = [openid for openid in openids if not await customers.bindings_everywhere(tx, openid)]
    if free:
        async with context.db.begin(system(UNION, "forget")) as tx:
            await forgetting.forget_accounts(tx, free)
    async with context.db.begin(system(effect.institution_id, "forget")) as tx:
        await effects.forget(tx, effect)
