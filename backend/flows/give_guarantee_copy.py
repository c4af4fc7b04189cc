"""给保证人一份: what was confirmed, to read or to keep as a paper, on any phone of the person it was sent to (A1-08).

The link goes to the guarantor's own number alone. It is made of our secret and opens this copy and nothing else.
"""

import asyncio
import base64
import hmac

from backend.core import clock, masking
from backend.core.actor import Actor
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.documents import rendering
from backend.documents.contract import GuaranteePaper
from backend.domains.customers import service as customers
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee, LinkGone
from backend.domains.guarantees.terms import Terms
from backend.domains.institutions import service as institutions
from backend.flows.context import Context
from backend.settings import Settings


class NotPrintable(Unavailable):
    code = "guarantee_not_printable"
    message = "您的名字里有一个字这里打印不出来。承诺书在上一页能看，纸质的请到网点拿"


async def give_guarantee_copy(context: Context, actor: Actor, guarantee_id: str, key: str) -> bytes:
    """The paper, PDF. Raises `LinkGone`, `NotPrintable`."""
    async with context.db.read(actor) as tx:
        guarantee, terms = await read(context.settings, tx, guarantee_id, key)
        assert guarantee.guarantor_id is not None, "it is confirmed"
        assert guarantee.confirmed_at is not None, "it is confirmed"
        person = await customers.get(tx, guarantee.guarantor_id)
        lender = await institutions.get(tx, tx.institution_id)
    at = clock.local(guarantee.confirmed_at)
    paper = GuaranteePaper(
        title=terms.title,
        version=terms.version,
        sections=terms.sections,
        text_sha256=terms.sha256,
        lender=lender.name,
        person_name=person.name,
        id_number=masking.id_number(person.id_number),
        given_on=at.date(),
        given_at_label=f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
        guarantee_id=guarantee.id,
    )
    try:
        return (await asyncio.to_thread(rendering.render, "guarantee", paper)).pdf
    except rendering.CannotBePrinted as cause:
        raise NotPrintable() from cause


async def read(settings: Settings, tx: Tx, guarantee_id: str, key: str) -> tuple[Guarantee, Terms]:
    """Raises `LinkGone`, also for a guess."""
    if not hmac.compare_digest(_key(settings, tx.institution_id, guarantee_id).encode(), key.encode()):
        raise LinkGone()
    guarantee = await guarantees.get(tx, guarantee_id)
    terms = await guarantees.promised(tx, guarantee)
    if terms is None:
        raise LinkGone()
    return guarantee, terms


def path(settings: Settings, guarantee: Guarantee) -> str:
    """Of the copy's page; the paper is `/paper` behind it."""
    key = _key(settings, guarantee.institution_id, guarantee.id)
    return f"/g/{guarantee.institution_id}/{guarantee.id}/{key}"


def _key(settings: Settings, institution_id: str, guarantee_id: str) -> str:
    text = f"guarantee copy\x00{institution_id}\x00{guarantee_id}"
    digest = hmac.digest(settings.session_secret.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
