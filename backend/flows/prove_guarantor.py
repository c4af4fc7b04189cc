"""保证人的手机号和授权: proved by a code of their own browser, each consent for itself (D3-01…04, D3-09)."""

from collections.abc import Mapping

from backend.core.actor import Actor
from backend.core.errors import Problem
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import ConsentText
from backend.domains.guarantees import service as guarantees
from backend.domains.identity import service as identity
from backend.domains.relations import service as relations
from backend.flows import card_on_file, prove_phone, send_code
from backend.flows.context import Context
from backend.flows.require_guarantee import Standing, require_guarantee

PURPOSE = "guarantee"
PROVED = "guarantor_phone_proved"


async def prove_guarantor(
    context: Context, actor: Actor, session_id: str, *, phone: str, code: str, ticked: Mapping[str, str]
) -> None:
    """The guarantee goes on to the face. `ticked` as in `prove_phone`, whose errors it raises; `LinkGone`,
    `GuaranteeMoved`."""
    phone = send_code.check_phone(phone)
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "phone", lock=True)
        texts = prove_phone.agreed(await consents.guarantor(tx), ticked)
        # Returned, not raised: a counted try and a used code stay so although the answer is no.
        refusal: Problem | None = await identity.check_code(tx, session_id, PURPOSE, phone, code)
        if refusal is None:
            refusal = await prove_phone.not_theirs(tx, standing.guarantee.guarantor_id, phone)
        if refusal is None:
            await _record(tx, standing, phone, texts)
            return
    raise refusal


async def _record(tx: Tx, standing: Standing, phone: str, texts: list[ConsentText]) -> None:
    guarantor_id = standing.guarantee.guarantor_id
    assert guarantor_id is not None, "the step before set it"
    await customers.set_phone(tx, guarantor_id, phone)
    await card_on_file.proved(tx, guarantor_id, standing.application, standing.guarantee.id)
    for text in texts:
        await consents.give(tx, guarantor_id, text.purpose, text_sha256=text.sha256, channel="h5")
    await guarantees.reach(tx, standing.guarantee, "liveness")
    await applications.note(tx, standing.application, PROVED)
    await relations.connect(tx, guarantor_id, "phone", phone, role="own", source="phone")
