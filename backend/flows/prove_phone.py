"""手机号和授权: the code proves the phone, the ticks are recorded with the very words shown (D3-01…04, D3-09)."""

from collections.abc import Mapping

from backend.core import masking
from backend.core.actor import Actor
from backend.core.errors import Conflict, Invalid, Problem
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, StepMissing
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import ConsentText
from backend.domains.identity import service as identity
from backend.domains.identity.model import CustomerSession
from backend.domains.relations import service as relations
from backend.flows import ask_consents, bind_wechat, card_on_file, send_code
from backend.flows.context import Context
from backend.outbox import idempotency

PURPOSE = "apply"
CHANNEL = "h5"
NEEDED = "没有这项授权，网上审批办不了；不同意也可以到网点办"
CHANGED = "授权书刚刚更新了，请看过新的内容再勾"


class ConsentsIncomplete(Invalid):
    code = "consents_incomplete"
    message = "还有 {count} 项授权没有勾"


class OthersPhone(Conflict):
    code = "others_phone"
    message = "{phone} 已经绑在另一位客户名下，请换成您本人的手机号"


class PhoneOnFile(Invalid):
    """Whoever holds only the card must not move a customer's phone: the branch does that (A5-01). Nor are they told a
    digit of it."""

    code = "phone_on_file"
    message = "您在我行登记的是另一个手机号，请用那个号码；换了号，请带身份证到网点改"


async def prove_phone(
    context: Context,
    actor: Actor,
    session: CustomerSession,
    application_id: str,
    *,
    phone: str,
    code: str,
    ticked: Mapping[str, str],
    token: str,
) -> Application:
    """The phone is the person's, every required consent is given, and the session gets the new `token`.

    `ticked` maps purpose to the version whose text was shown. Raises
    `PhoneInvalid`, `ConsentsIncomplete`, `WrongCode`, `CodeUsedUp`, `OthersPhone`, `PhoneOnFile`, `StepMissing`.
    """
    phone = send_code.check_phone(phone)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "phone")
        texts = agreed(await ask_consents.ask_consents(tx, application.product_code), ticked)
        # Returned, not raised: a counted try and a used code stay so although the answer is no.
        refusal = await _check(tx, session, application, phone, code)
        if refusal is None:

            async def work() -> str:
                await _record(tx, session, application, phone, texts, token)
                return application.id

            await idempotency.once(tx, work)
            return await applications.get(tx, application_id)
    raise refusal


async def proved_before(context: Context, actor: Actor) -> Application | None:
    """The draft whose phone this very request proved in an earlier attempt, or None.

    For an attempt that died before its answer: the browser still has the token of before.
    """
    application_id = idempotency.outcome()
    if not application_id:
        return None
    async with context.db.read(actor) as tx:
        return await applications.get(tx, application_id)


def agreed(texts: tuple[ConsentText, ...], ticked: Mapping[str, str]) -> list[ConsentText]:
    """The texts that were ticked. Raises `ConsentsIncomplete` for a required one left out, or one that changed."""
    problems = {}
    for text in texts:
        version = ticked.get(text.purpose)
        if version is None and text.required:
            problems[f"consent_{text.purpose}"] = NEEDED
        elif version is not None and version != str(text.version):
            problems[f"consent_{text.purpose}"] = CHANGED
    if problems:
        raise ConsentsIncomplete(fields=problems, count=len(problems))
    return [text for text in texts if text.purpose in ticked]


async def _check(
    tx: Tx, session: CustomerSession, application: Application, phone: str, code: str
) -> Problem | None:
    wrong = await identity.check_code(tx, session.id, PURPOSE, phone, code)
    if wrong is not None:
        return wrong
    return await not_theirs(tx, application.customer_id, phone)


async def not_theirs(tx: Tx, customer_id: str | None, phone: str) -> Problem | None:
    """What keeps a phone whose code was right from being this person's; None when it may be."""
    owner = await customers.phone_owner(tx, phone)
    if owner not in (None, customer_id):
        return OthersPhone(phone=masking.phone(phone))
    if customer_id is None:
        return StepMissing(step="identity")
    person = await customers.get(tx, customer_id)
    if person.phone not in (None, phone) and await card_on_file.relied_on(tx, customer_id):
        return PhoneOnFile(fields={"phone": PhoneOnFile.message})
    return None


async def _record(
    tx: Tx,
    session: CustomerSession,
    application: Application,
    phone: str,
    texts: list[ConsentText],
    token: str,
) -> None:
    customer_id = application.customer_id
    assert customer_id is not None, "_check saw to it"
    await customers.set_phone(tx, customer_id, phone)
    await card_on_file.proved(tx, customer_id, application)
    for text in texts:
        await consents.give(tx, customer_id, text.purpose, text_sha256=text.sha256, channel=CHANNEL)
    openid = session.openid or application.openid
    if openid:
        await bind_wechat.bind_quietly(tx, openid, customer_id)
    await identity.set_session_application(tx, session.id, application.id, customer_id)
    await identity.rotate_customer_session(tx, session.id, token=token)
    await applications.note(tx, application, "phone_proved")
    await applications.reach(tx, application, "liveness")
    await relations.connect(tx, customer_id, "phone", phone, role="own", source="phone")
