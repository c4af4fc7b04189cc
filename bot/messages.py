"""A message as the bot understands it: made from decrypted fields only."""

import msgspec

from backend.core.plain_text import plain
from backend.domains.channels import service as channels
from bot import xml

MOST_WORDS = 500
"""Longer texts are understood by their beginning."""

MOST_SAID = 4000
"""What a ticket keeps: more than the platform lets anybody type."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is text, voice, image … or `event.` + the event in lower case. `said` is what the person said,
    also by voice, `words` its beginning. `key` is the hash by which a repeat is known."""

    openid: str
    account: str
    kind: str
    words: str
    said: str
    event_key: str
    fields: xml.Fields
    key: bytes

    @property
    def is_event(self) -> bool:
        return self.kind.startswith("event.")


class Incomplete(Exception):
    """No sender or no type: nothing that could be answered."""


def read(fields: xml.Fields) -> Message:
    """Raises `Incomplete`."""
    openid, account = xml.text(fields, "FromUserName"), xml.text(fields, "ToUserName")
    kind = xml.text(fields, "MsgType").lower()
    if not openid or not account or not kind or len(openid) > 64:
        raise Incomplete()
    event = xml.text(fields, "Event")
    said = xml.text(fields, "Recognition") if kind == "voice" else xml.text(fields, "Content")
    said = plain(said).strip()[:MOST_SAID]
    return Message(
        openid=openid,
        account=account,
        kind=f"event.{event.lower()}" if kind == "event" else kind,
        words=said[:MOST_WORDS],
        said=said,
        event_key=xml.text(fields, "EventKey"),
        fields=fields,
        key=_key(fields, openid, event),
    )


def _key(fields: xml.Fields, openid: str, event: str) -> bytes:
    """MsgId stays text: it is beyond 2^53. Events have none: sender, time, event and its key (wechat.md);
    the report of a notice also has the notice's number."""
    if number := xml.text(fields, "MsgId"):
        return channels.message_key("message", openid, number)
    created, about = xml.text(fields, "CreateTime"), xml.text(fields, "EventKey")
    return channels.message_key("event", openid, created, event, about, xml.text(fields, "MsgID"))
