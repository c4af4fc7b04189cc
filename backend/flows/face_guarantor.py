"""保证人人脸核对: to the provider and back, as an applicant's (A5-04, D3-04, D3-13)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.guarantees import service as guarantees
from backend.flows import card_on_file
from backend.flows.context import Context
from backend.flows.finish_liveness import Ending, judged
from backend.flows.require_guarantee import require_guarantee
from backend.flows.start_liveness import TRIES, FaceConsentMissing
from backend.integrations.http import OutsideRefused

RETURN_PATH = "/guarantee/liveness/back"
STARTED = "guarantor_face_started"


async def face_guarantor(context: Context, actor: Actor, session_id: str, version: str) -> str:
    """The provider's address to send the guarantor to.

    Raises `FaceConsentMissing`, `TooManyFaces`, `LinkGone`, `GuaranteeMoved`, `LivenessUnavailable`.
    """
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "liveness", lock=True)
        guarantee = standing.guarantee
        assert guarantee.guarantor_id is not None, "the steps before set it"
        text = await consents.text(tx, Purpose.LIVENESS)
        if version != str(text.version):
            raise FaceConsentMissing(fields={"consent_liveness": FaceConsentMissing.message})
        await TRIES.take(tx, guarantee.id)
        name, id_number = await card_on_file.named(
            tx, guarantee.guarantor_id, standing.application, guarantee.id
        )
        consent_id = await consents.give(
            tx, guarantee.guarantor_id, Purpose.LIVENESS, text_sha256=text.sha256, channel="h5"
        )
    session = await context.clients.liveness.start(
        case_id=guarantee.application_id,
        consent_id=consent_id,
        return_url=context.settings.public_base.rstrip("/") + RETURN_PATH,
        name=name,
        id_number=id_number,
        # A tap repeated while the first is under way leads to the same session; a new try to a new one.
        key=f"liveness:{guarantee.id}:{guarantee.liveness_session or 0}",
    )
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "liveness", lock=True)
        await guarantees.sent_to_face(tx, standing.guarantee, session.session_id)
        await applications.note(tx, standing.application, STARTED, session.session_id)
    return session.url


async def heard(context: Context, actor: Actor, session_id: str, liveness_session: str) -> Ending:
    """How it ended, by the provider's word; the guarantee goes on only when it was passed. `stranger` as in
    `finish_liveness`. Raises `LinkGone`, `GuaranteeMoved`, `LivenessUnavailable`."""
    async with context.db.read(actor) as tx:
        guarantee = (await require_guarantee(tx, session_id, "liveness")).guarantee
    if not liveness_session or guarantee.liveness_session != liveness_session:
        return "stranger"
    try:
        key = f"liveness-result:{liveness_session}"
        outcome = await context.clients.liveness.result(liveness_session, key=key)
    except OutsideRefused:
        return "stranger"
    ending = judged(outcome)
    if ending == "pending":
        return ending
    async with context.db.begin(actor) as tx:
        standing = await require_guarantee(tx, session_id, "liveness", lock=True)
        guarantee, application = standing.guarantee, standing.application
        await applications.note(tx, application, f"guarantor_face_{ending}", liveness_session)
        if ending == "passed":
            assert guarantee.guarantor_id is not None, "the steps before set it"
            await guarantees.pass_liveness(tx, guarantee, "passed")
            await card_on_file.proved(tx, guarantee.guarantor_id, application, guarantee.id)
    return ending
