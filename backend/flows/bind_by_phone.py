"""Prove, from the one-time link of the chat, whose WeChat account this is (A5-01, A11-02).

The link was made for one account and only works there. The person proves two things the bank checked when
their ID was read: the phone (by SMS code) and the end of the ID number. What was wrong is never told apart.
"""

from backend.core.actor import Actor, everywhere
from backend.core.errors import Invalid, NotPermitted
from backend.db.database import Tx
from backend.domains.channels import links
from backend.domains.channels.links import BindLink
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity
from backend.domains.identity.model import CodeUsedUp, WrongCode
from backend.flows import bind_wechat, send_code
from backend.flows.context import Context

PURPOSE = "bind"
TAIL = 6  # characters of the ID number


class OtherAccount(NotPermitted):
    code = "bind_other_account"
    message = "请在收到这条消息的微信里打开。别人转给您的链接不能用"


class NotProved(Invalid):
    code = "bind_not_proved"
    message = "验证码、手机号或身份证后 6 位对不上，请再看一下"


async def find(context: Context, token: str, openid: str) -> BindLink:
    """The link when this account may use it. Raises `LinkGone`, `OtherAccount`."""
    async with context.db.read(everywhere("bind")) as tx:
        link = await links.find_link(tx, token)
    if link.openid != openid:
        raise OtherAccount()
    return link


async def ask_code(context: Context, link: BindLink, phone: str) -> int:
    """As `send_code`, if the phone is a customer's; the answer is the same if it is not."""
    async with context.db.begin(_actor(link)) as tx:
        known = await customers.phone_owner(tx, phone) is not None
        return await send_code.send_code(tx, link.id, PURPOSE, phone, silently=not known)


async def bind_by_phone(context: Context, link: BindLink, phone: str, code: str, id_tail: str) -> None:
    """Bind and burn the link. Raises `NotProved`, `CodeUsedUp`, `AlreadyBound`, `LinkGone`."""
    async with context.db.begin(_actor(link)) as tx:
        refusal = await _prove(tx, link, phone, code, id_tail)
    if refusal is not None:
        raise refusal


async def _prove(
    tx: Tx, link: BindLink, phone: str, code: str, id_tail: str
) -> NotProved | CodeUsedUp | None:
    """Returned, not raised: the counted try must be committed although the answer is no."""
    refusal = await identity.check_code(tx, link.id, PURPOSE, phone, code)
    if isinstance(refusal, WrongCode):
        return NotProved(fields={"code": NotProved.message})
    if refusal is not None:
        return refusal
    customer_id = await customers.phone_owner(tx, phone)
    person = await customers.get(tx, customer_id) if customer_id else None
    if person is None or person.id_number[-TAIL:].upper() != id_tail.strip().upper():
        return NotProved(fields={"id_tail": NotProved.message})
    await links.use_link(tx, link)
    await bind_wechat.bind_wechat(tx, link.openid, person.id)
    return None


def _actor(link: BindLink) -> Actor:
    return Actor(kind="customer", id=f"bind-{link.id}", institution_id=link.institution_id)
