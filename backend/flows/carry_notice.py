"""One notice to one person by one means (N17): what every flow that tells a customer something ends with.

The means in order: a customer-service message while the window is open, a subscription notice while a grant is
left, an SMS; a message may bring an order of its own, with the mobile bank's messages in it. A means is written down
before it is tried. When its outcome stays unknown it is repeated with the same key; only a clear no passes the notice
on to the next means, so nobody is told twice and nobody never.
A platform that cannot be reached at all has surely sent nothing: after a few attempts the next means has its turn.
"""

from collections.abc import Awaitable, Callable

import msgspec

from backend.core import failpoints
from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.domains.channels import grants, notices, sms
from backend.domains.channels import service as channels
from backend.domains.channels.notices import Means, Notice
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.integrations.wechat.port import NoSubscription, NotFollowing, WeChatRefused, WindowClosed
from backend.outbox.effects import Effect

TRYING = failpoints.declare("notify.trying", "a means is written down; nothing was sent by it")
CARRIED = failpoints.declare("notify.carried", "the other side has the notice; we have not recorded it")
RESERVED = failpoints.declare("notify.reserved", "a grant is set aside; nothing was sent on it")
SUBSCRIBED = failpoints.declare("notify.subscribed", "a grant is spent over there; here it is only set aside")

PATIENCE = 3
"""Attempts at a means that cannot be reached, before the next one has its turn: about a quarter of a minute."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the means need, read before anything is sent.

    `text` goes out as a customer-service message, `fields` with the progress template, `sms` is (template,
    parameters) or None for what is not told by SMS, `bank` (customer's name at the bank, title) or None: the words
    there are `text`. `ruled_out`: means not worth their price here, and why; `order`: the means that may carry it.
    """

    institution_id: str
    case_id: str
    openid: str | None
    phone: str | None
    window_open: bool
    text: str
    fields: dict[str, str]
    page: str = ""
    sms: tuple[str, dict[str, str]] | None = None
    bank: tuple[str, str] | None = None
    ruled_out: dict[Means, str] = {}
    order: tuple[Means, ...] = notices.ORDER


Outcome = str
"""Empty when the notice was carried, else why this means cannot carry it."""


def notice_key(effect: Effect) -> str:
    """Of the notice an effect carries; one that came back is carried again under the same."""
    return str(effect.payload.get("notice", effect.key))


async def window_open(context: Context, openid: str | None) -> bool:
    """Whether a customer-service message may be tried: the window is the account's, whatever county it wrote to."""
    async with context.db.read(everywhere("notify")) as tx:
        return openid is not None and await channels.window_open(tx, openid)


async def carry_notice(context: Context, effect: Effect, notice: Notice, message: Message) -> bool:
    """Whether a means carried it. Raises Unavailable when one may have carried it or may work later."""
    actor = system(message.institution_id, "notify")
    for means in notice.still_to_try(message.order):
        reason = impossible(message, means)
        if reason and notice.means != means:
            async with context.db.begin(actor) as tx:
                notice = await notices.refused(tx, notice, means, reason)
            continue
        async with context.db.begin(actor) as tx:
            await notices.trying(tx, notice, means)
        failpoints.hit(TRYING)
        refusal = await _try(context, effect, message, notice, means)
        failpoints.hit(CARRIED)
        async with context.db.begin(actor) as tx:
            if not refusal:
                await notices.sent(tx, notice, means)
                return True
            notice = await notices.refused(tx, notice, means, refusal)
    async with context.db.begin(actor) as tx:
        await notices.ended(tx, notice, "no means left")
    return False


def impossible(message: Message, means: Means) -> Outcome:
    """Why a means need not even be tried, from what we know ourselves."""
    if means in message.ruled_out:
        return message.ruled_out[means]
    if means == "sms":
        if message.sms is None:
            return "no text"
        return "" if message.phone else "no phone"
    if means == "bank":
        return "" if message.bank else "no text"
    if not message.openid:
        return "no account"
    return "" if means == "subscription" or message.window_open else "window closed"


async def _try(context: Context, effect: Effect, message: Message, notice: Notice, means: Means) -> Outcome:
    """Raises Unavailable while this means may still carry it, or may have."""
    try:
        return await CARRIERS[means](context, notice.key, message)
    except Unavailable as failure:
        if failure.unknown or notice.in_doubt(means):
            raise
        if means != message.order[-1] and effect.attempts > PATIENCE:
            return f"unavailable: {failure}"
        async with context.db.begin(system(effect.institution_id, "notify")) as tx:
            await notices.not_sent(tx, notice, means)
        raise


async def _by_custom_message(context: Context, key: str, message: Message) -> Outcome:
    assert message.openid
    try:
        await context.clients.wechat.send_text(message.openid, message.text, key=f"{key}:custom")
    except (WindowClosed, NotFollowing) as refusal:
        return refusal.code
    except WeChatRefused as refusal:
        return f"errcode {refusal.remote_code}"
    except OutsideRefused as refusal:
        _must_be_there(refusal)
    return ""


def _must_be_there(refusal: OutsideRefused) -> None:
    """The key was used for other words: an earlier attempt arrived although its answer was lost, and the case
    has moved since. The customer has been told; anything else is raised again."""
    if refusal.remote_code != "idempotency_key_reused":
        raise refusal


async def _by_subscription(context: Context, key: str, message: Message) -> Outcome:
    """Grant after grant, since the platform may have forgotten one."""
    assert message.openid
    template = context.settings.wechat_progress_template
    while True:
        async with context.db.read(everywhere("notify")) as tx:
            grant = await grants.find(tx, message.openid, template, key)
        if grant is None:
            return "no grant"
        keeper = system(grant.institution_id, "notify")
        async with context.db.begin(keeper) as tx:
            if not await grants.reserve(tx, grant, key):
                continue
        failpoints.hit(RESERVED)
        try:
            number = await _send_subscription(context, message, template, key=f"{key}:{grant.id}")
        except NoSubscription:
            async with context.db.begin(keeper) as tx:
                await grants.void(tx, grant)
            continue
        except (WeChatRefused, Unavailable) as refusal:
            if isinstance(refusal, Unavailable) and refusal.unknown:
                raise
            async with context.db.begin(keeper) as tx:
                await grants.release(tx, grant, key)
            if isinstance(refusal, Unavailable):
                raise
            return f"errcode {refusal.remote_code}"
        except OutsideRefused as refusal:
            _must_be_there(refusal)
            number = ""
        failpoints.hit(SUBSCRIBED)
        async with context.db.begin(keeper) as tx:
            await grants.used(tx, grant, number)
        return ""


async def _send_subscription(context: Context, message: Message, template: str, *, key: str) -> str:
    """The platform's number of the notice."""
    assert message.openid
    answer = await context.clients.wechat.send_subscription(
        message.openid, template, message.fields, page=message.page, key=key
    )
    return str(answer.get("msgid", ""))


async def _by_sms(context: Context, key: str, message: Message) -> Outcome:
    assert message.phone
    assert message.sms
    template, parameters = message.sms
    try:
        sent = await context.clients.sms.send(
            phone=message.phone,
            template=template,
            parameters=parameters,
            case_id=message.case_id,
            key=f"{key}:sms",
        )
    except OutsideRefused as refusal:
        _must_be_there(refusal)
        return ""
    async with context.db.begin(system(message.institution_id, "notify")) as tx:
        await sms.accepted(tx, sent.message_id, message.case_id, template, sent.accepted_at)
    return ""


async def _by_bank(context: Context, key: str, message: Message) -> Outcome:
    assert message.bank
    name, title = message.bank
    try:
        await context.clients.mobile_bank.tell(
            customer_hash=name, case_id=message.case_id, title=title, text=message.text, key=f"{key}:bank"
        )
    except OutsideRefused as refusal:
        if refusal.remote_code == "customer_unknown":
            return refusal.remote_code
        _must_be_there(refusal)
    return ""


CARRIERS: dict[Means, Callable[[Context, str, Message], Awaitable[Outcome]]] = {
    "custom": _by_custom_message,
    "subscription": _by_subscription,
    "sms": _by_sms,
    "bank": _by_bank,
}
