"""Which handler answers which message. Everything ends in an answer, a ticket number or "nothing to say"."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from bot import matters
from bot.handlers import (
    answers,
    complaint,
    county,
    erasure,
    fallback,
    guarantee,
    help_,
    human,
    limit,
    notices,
    officer,
    products,
    progress,
    repayment,
    safety,
    scan,
    smalltalk,
    unbind,
    visit,
    withdraw,
)
from bot.messages import MOST_WORDS
from bot.replies import Reply
from bot.talk import Talk
from bot.understanding import topic_of

Handler = Callable[[Talk], Awaitable[Reply]]

TOPICS: dict[str, Handler] = {
    "progress": progress.answer,
    "limit": limit.answer,
    "repayment": repayment.answer,
    "products": products.answer,
    "officer": officer.answer,
    "human": human.answer,
    "complaint": complaint.answer,
    "help": help_.answer,
    "greeting": smalltalk.greet,
    "thanks": smalltalk.thank,
    "unbind": unbind.answer,
    "safety": safety.answer,
    "guarantee": guarantee.answer,
    "guarantors": guarantee.answer_borrower,
    "withdraw": withdraw.answer,
    "erasure": erasure.answer,
    "visit": visit.answer,
}
"""Also the keys of the menu's buttons (bot/menu.py)."""

NEEDS_COUNTY = frozenset(TOPICS) - {"human", "complaint", "help", "greeting", "thanks", "safety"}
"""Topics only a county can answer; who came through none is asked which one."""

PERSONAL = NEEDS_COUNTY - {"products", "officer", "visit"}
"""Of these what needs to know who it is."""

EVENTS: dict[str, Handler] = {
    "event.subscribe": scan.subscribe,
    "event.scan": scan.scan,
    "event.unsubscribe": scan.leave,
    "event.subscribe_msg_popup_event": notices.asked,
    "event.subscribe_msg_change_event": notices.asked,
    "event.subscribe_msg_sent_event": notices.reported,
}

OPENING = frozenset({"event.subscribe", "event.scan", "event.click"})
"""Events after which customer-service messages may follow for a minute."""

MEDIA = frozenset({"image", "video", "shortvideo", "location", "link", "file"})


async def answer(talk: Talk) -> tuple[str, Reply]:
    """(topic for the log, reply)."""
    kind = talk.message.kind
    if kind in EVENTS:
        return kind.removeprefix("event."), await EVENTS[kind](talk)
    if kind == "event.click":
        topic = talk.message.event_key if talk.message.event_key in TOPICS else "help"
        return await _topic(talk, topic)
    if talk.message.is_event:
        # VIEW, LOCATION, TEMPLATESENDJOBFINISH and whatever the platform invents: nothing to say.
        return "event", None
    if kind in MEDIA or not talk.message.words:
        # A voice message without recognised words, a sticker, a type of tomorrow.
        return "media", await fallback.media(talk)
    if answers.asked(talk.words):
        return "answers", await answers.answer(talk)
    topic = topic_of(talk.words) if talk.words else "none"
    if topic == "none" and talk.named:
        # The county and no more: what waited for it is answered now.
        if talk.waiting is None:
            return "county", await county.chosen(talk)
        return await _topic(_again(talk, talk.waiting.words), talk.waiting.topic)
    return await matters.follow(talk, topic, _topic)


def _again(talk: Talk, words: str) -> Talk:
    """As if the words that waited were said now."""
    message = replace(talk.message, said=words, words=words[:MOST_WORDS])
    return replace(talk, message=message, words=message.words)


async def _topic(talk: Talk, topic: str) -> tuple[str, Reply]:
    if talk.institution is None and topic in NEEDS_COUNTY:
        return topic, await county.ask(talk)
    if topic == "none":
        return await fallback.answer(talk)
    return topic, await TOPICS[topic](talk)
