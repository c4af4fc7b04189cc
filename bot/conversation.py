"""Take one message in: once, in the county that serves the person, with its answer (trust §1, A11-01).

Claiming the message, its effects and its answer are one transaction. A repeat finds the claim and gets the
answer that was given; an overlapping repeat waits for the first one's commit inside PostgreSQL.
"""

import hashlib
import re

import msgspec

from backend.core import clock, ids
from backend.core.actor import Actor, everywhere
from backend.db.database import Tx
from backend.domains.campaigns import rules as codes
from backend.domains.channels import service as channels
from backend.domains.channels.model import Said
from backend.domains.customers import service as customers
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION, Institution
from backend.flows.context import Context
from bot import dispatch, replies
from bot.messages import Message
from bot.replies import Card, Stored, Text
from bot.talk import Talk

SCENE_PREFIX = "qrscene_"
LAST_SAID = 4
_ONLY_WHERE = re.compile(
    r"[\s，,。.!！]*(我们?|俺们?|咱)?(是|在|住|就)*(的|人|这边|那边|这儿|那儿|这?里|农商行|农商银行)*[\s，,。.!！呀啊呢吧]*"
)


class Place(msgspec.Struct, frozen=True):
    """Where a message is answered. `named`: the person said which county, `moved`: another than before. `waiting`:
    what they wanted when they were asked for it."""

    institution_id: str
    institutions: list[Institution]
    bindings: list[tuple[str, str]]
    earlier: channels.Earlier | None
    named: bool
    moved: bool
    words: str
    waiting: Said | None


async def take(context: Context, message: Message) -> Stored | None:
    """The reply to send, None for nothing to say."""
    async with context.db.read(everywhere("bot")) as tx:
        place = await _place(tx, message)
    if place.earlier is not None:
        return await _again(context, place.earlier)
    actor = _actor(message.openid, place.institution_id)
    async with context.db.begin(actor) as tx:
        message_id = ids.new()
        first = await channels.first_time(tx, message.key, message_id)
        if first:
            return await _first(context, tx, message, message_id, place)
        earlier = await channels.earlier(tx, message.key)
    assert earlier is not None, "a claim that was refused stands"
    return await _again(context, earlier)


def stored(message: Message, reply: Text | Card) -> Stored:
    return Stored(reply, message.openid, message.account, int(clock.now().timestamp()))


async def _first(context: Context, tx: Tx, message: Message, message_id: str, place: Place) -> Stored | None:
    if not message.is_event or message.kind in dispatch.OPENING:
        # The follower's row stays locked until the commit: two messages of one person never open two tickets.
        await channels.heard(tx, message.openid, message=not message.is_event)
    if place.moved:
        await channels.route(tx, message.openid)
    talk = await _talk(context, tx, message, place)
    topic, reply = await dispatch.answer(talk)
    answer = None if reply is None else stored(message, reply)
    await channels.keep(
        tx,
        message_id,
        message.openid,
        message.kind,
        topic,
        message.said or message.event_key,
        replies.encode(answer) if answer else b"",
        tx.now,
    )
    return answer


async def _again(context: Context, earlier: channels.Earlier) -> Stored | None:
    async with context.db.read(_actor("", earlier.institution_id)) as tx:
        kept = await channels.reply_of(tx, earlier.message_id)
    return replies.decode(kept) if kept else None


async def _place(tx: Tx, message: Message) -> Place:
    """The county: of the code scanned, else the one the person names, else the one that served them last."""
    live = await institutions.all_live(tx)
    serving = await channels.serving(tx, message.openid)
    bindings = await customers.bindings_everywhere(tx, message.openid)
    known = serving.institution_id if serving else (bindings[0][0] if bindings else UNION)
    waiting = await _waiting(tx, message, known, [institution_id for institution_id, _ in bindings])
    named, words = _named(live, message.words)
    if waiting and not named and known == UNION and (town := await institutions.of_town(tx, message.words)):
        named, words = town[0], _without(message.words, town[1])
    scanned = (
        codes.institution_of(scene(message)) if message.kind in {"event.subscribe", "event.scan"} else None
    )
    is_live = scanned is not None and any(i.id == scanned for i in live)
    return Place(
        institution_id=scanned if scanned and is_live else named or known,
        institutions=live,
        bindings=bindings,
        earlier=await channels.earlier(tx, message.key),
        named=bool(named),
        moved=bool(named) and named != known,
        words=words,
        waiting=waiting,
    )


async def _waiting(tx: Tx, message: Message, known: str, bound: list[str]) -> Said | None:
    """What only a county can answer, from before it was known; or what this county could not answer to an account
    that is bound in another one."""
    if message.is_event or (known != UNION and (not bound or known in bound)):
        return None
    said = await channels.last_said(tx, message.openid, known, LAST_SAID)
    wanted = dispatch.NEEDS_COUNTY if known == UNION else dispatch.PERSONAL
    return next((one for one in said if one.topic in wanted), None)


def scene(message: Message) -> str:
    """The scene of a scanned code; the prefix comes with a new follower only."""
    return message.event_key.removeprefix(SCENE_PREFIX)


def _named(live: list[Institution], words: str) -> tuple[str, str]:
    """(institution named in the words, the words without its name)."""
    for institution in live:
        for name in (institution.name, institution.short_name, institution.county):
            if name in words:
                return institution.id, _without(words, name)
    return "", words


def _without(words: str, name: str) -> str:
    """Empty for 我是…的, which says the county and no more."""
    rest = words.replace(name, "").strip()
    return "" if _ONLY_WHERE.fullmatch(rest) else rest


async def _talk(context: Context, tx: Tx, message: Message, place: Place) -> Talk:
    here = next((i for i in place.institutions if i.id == place.institution_id), None)
    bound = {institution_id for institution_id, _ in place.bindings}
    return Talk(
        settings=context.settings,
        tx=tx,
        message=message,
        words=place.words,
        named=place.named,
        waiting=place.waiting,
        institution=here,
        institutions=place.institutions,
        follower=await channels.follower(tx, message.openid),
        customer_id=await customers.customer_of(tx, message.openid),
        bound_at=[i.short_name for i in place.institutions if i.id in bound],
    )


def _actor(openid: str, institution_id: str) -> Actor:
    """The person, by a hash: audit rows hold no account names."""
    who = hashlib.sha256(openid.encode()).hexdigest()[:16]
    return Actor(kind="customer", id=f"wechat-{who}", institution_id=institution_id)
