"""人脸核对, going out: with its own consent, to the provider's page (A5-04, D3-04)."""

from backend.core import failpoints
from backend.core.actor import Actor
from backend.core.errors import Invalid, TooMany
from backend.domains.applications import service as applications
from backend.domains.applications.model import StepMissing
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.identity.quota import Limit
from backend.flows import card_on_file
from backend.flows.context import Context

STARTED = "liveness_started"
OPENED = failpoints.declare("liveness.opened", "the provider has a session; we have not noted it")
RETURN_PATH = "/apply/liveness/back"


class FaceConsentMissing(Invalid):
    code = "face_consent_missing"
    message = "用人脸要先勾选同意；不想用人脸，可以换一种方式"


class TooManyFaces(TooMany):
    code = "too_many_faces"
    message = "今天试的次数多了，请换一种方式核对，或明天再试"


TRIES = Limit("liveness", 8, 86400, TooManyFaces)


async def start_liveness(context: Context, actor: Actor, application_id: str, version: str) -> str:
    """The provider's address to send the person to.

    Raises `FaceConsentMissing`, `TooManyFaces`, `StepMissing`, `LivenessUnavailable`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "liveness")
        if application.customer_id is None:
            raise StepMissing(step="identity")
        text = await consents.text(tx, Purpose.LIVENESS)
        if version != str(text.version):
            raise FaceConsentMissing(fields={"consent_liveness": FaceConsentMissing.message})
        await TRIES.take(tx, application.id)
        name, id_number = await card_on_file.named(tx, application.customer_id, application)
        consent_id = await consents.give(
            tx, application.customer_id, Purpose.LIVENESS, text_sha256=text.sha256, channel="h5"
        )
        last = await applications.last_event(tx, application, STARTED)
    session = await context.clients.liveness.start(
        case_id=application.id,
        consent_id=consent_id,
        return_url=context.settings.public_base.rstrip("/") + RETURN_PATH,
        name=name,
        id_number=id_number,
        # A tap repeated while the first is under way leads to the same session; a new try to a new one.
        key=f"liveness:{application.id}:{last.seq if last else 0}",
    )
    failpoints.hit(OPENED)
    async with context.db.begin(actor) as tx:
        known = await applications.last_event(tx, application, STARTED)
        if known is None or known.why != session.session_id:
            await applications.note(tx, application, STARTED, session.session_id)
    return session.url
