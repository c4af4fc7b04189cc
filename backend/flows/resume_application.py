"""找回申请: on another day or phone, by phone number and SMS code (A3-07)."""

import msgspec

from backend.core.actor import Actor, everywhere
from backend.core.errors import NotFound
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import OPEN, Application
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity
from backend.domains.identity.model import CodeUsedUp, WrongCode
from backend.domains.institutions.model import UNION
from backend.flows import send_code
from backend.flows.context import Context
from backend.outbox import idempotency

PURPOSE = "resume"
PROVED_SECONDS = 600
"""How long the same form may be sent again with the code it has used."""


class NothingToResume(NotFound):
    code = "nothing_to_resume"
    message = "这个手机号还没有申请。扫客户经理的码，或从我行官方页面开始"


class Resumed(msgspec.Struct, frozen=True):
    institution_id: str
    application_id: str


async def ask_code(context: Context, actor: Actor, phone: str, address: str) -> int:
    """As `send_code`, when the phone is a customer's somewhere; the answer is the same when it is not.

    `actor` works for the union; its id stands for the browser. Raises `CodeTooSoon`, `TooManyCodes`.
    """
    known = bool(await _owners(context, phone))
    async with context.db.begin(actor.within(UNION)) as tx:
        return await send_code.send_code(tx, actor.id, PURPOSE, phone, silently=not known, address=address)


async def resume_application(
    context: Context, actor: Actor, *, phone: str, code: str, token: str, openid: str | None
) -> Resumed:
    """A new session (cookie `token`) for the person's newest open application, else their newest one.

    Raises `PhoneInvalid`, `WrongCode`, `CodeUsedUp`, `NothingToResume`.
    """
    phone = send_code.check_phone(phone)
    # Nothing is looked up before the code is right: how long the answer takes must not tell whose phones we know.
    async with context.db.begin(actor.within(UNION)) as tx:
        refusal = await _prove(tx, actor.id, phone, code)
    if refusal is not None:
        raise refusal
    found = await _newest(context, phone)
    if found is None:
        raise NothingToResume()
    county = actor.within(found.institution_id)
    async with context.db.begin(county) as tx:
        application = await applications.get(tx, found.id, lock=True)
        if await identity.customer_session(tx, token) is None:  # an attempt that died may have come this far
            session, _ = await identity.new_customer_session(tx, openid, token=token)
            await identity.set_session_application(tx, session.id, application.id, application.customer_id)
            await applications.continue_from(tx, application, session.id, openid)
    return Resumed(found.institution_id, found.id)


async def _prove(tx: Tx, browser: str, phone: str, code: str) -> CodeUsedUp | WrongCode | None:
    """None when the phone is proved, now or a moment ago by an attempt of this request that died."""
    before = idempotency.outcome()
    if before and tx.now.timestamp() - int(before) < PROVED_SECONDS:
        return None
    refusal = await identity.check_code(tx, browser, PURPOSE, phone, code)
    if refusal is None:

        async def proved() -> str:
            return str(int(tx.now.timestamp()))

        await idempotency.once(tx, proved)
    return refusal


async def _owners(context: Context, phone: str) -> list[tuple[str, str]]:
    """(institution, customer): a person may be a customer of several counties."""
    async with context.db.read(everywhere("resume")) as tx:
        return await customers.phone_owners_everywhere(tx, phone)


async def _newest(context: Context, phone: str) -> Application | None:
    found: list[Application] = []
    for institution_id, customer_id in await _owners(context, phone):
        async with context.db.read(everywhere("resume").within(institution_id)) as tx:
            found += await applications.of_customer(tx, customer_id)
    return max(found, key=lambda each: (each.status in OPEN, each.created_at), default=None)
