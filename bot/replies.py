"""What the bot may say (被动回复): a text, or one card. Kept as JSON so that a repeat gets the same answer."""

import msgspec

from bot import xml

MOST_TEXT_BYTES = 2048
MOST_TITLE, MOST_DESCRIPTION = 64, 120


class Text(msgspec.Struct, frozen=True, tag="text"):
    content: str


class Card(msgspec.Struct, frozen=True, tag="card"):
    """One article: messages may carry no more (wechat.md)."""

    title: str
    description: str
    url: str
    picture_url: str = ""


Reply = Text | Card | None
"""None is "success": there is nothing to say."""


class Stored(msgspec.Struct, frozen=True):
    """A reply with what its XML needs; `at` in seconds."""

    reply: Text | Card
    to: str
    account: str
    at: int


def encode(stored: Stored) -> bytes:
    return msgspec.json.encode(stored)


def decode(text: bytes) -> Stored:
    return msgspec.json.decode(text, type=Stored)


def to_xml(stored: Stored) -> str:
    """The passive reply; each element once, every text in CDATA."""
    head = (
        xml.element("ToUserName", stored.to)
        + xml.element("FromUserName", stored.account)
        + f"<CreateTime>{stored.at}</CreateTime>"
    )
    if isinstance(stored.reply, Text):
        content = xml.element("Content", shortened(stored.reply.content, MOST_TEXT_BYTES))
        return f"<xml>{head}{xml.element('MsgType', 'text')}{content}</xml>"
    card = stored.reply
    item = (
        xml.element("Title", card.title[:MOST_TITLE])
        + xml.element("Description", card.description[:MOST_DESCRIPTION])
        + xml.element("PicUrl", card.picture_url)
        + xml.element("Url", card.url)
    )
    count = "<ArticleCount>1</ArticleCount>"
    return f"<xml>{head}{xml.element('MsgType', 'news')}{count}<Articles><item>{item}</item></Articles></xml>"


def shortened(text: str, most_bytes: int) -> str:
    """At most so many bytes of UTF-8, cut between characters and at a line's end where one is near."""
    if len(text.encode()) <= most_bytes:
        return text
    kept = text.encode()[: most_bytes - 3].decode(errors="ignore")
    line = kept.rfind("\n")
    return (kept[:line] if line > len(kept) // 2 else kept) + "…"
