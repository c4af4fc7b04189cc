"""订阅通知: the person allowed one notice, or took it back; the platform says whether it was shown (N17)."""

from collections.abc import Iterator

from backend.domains.channels import grants
from backend.flows import take_notice_report, take_rejection
from bot import xml
from bot.replies import Reply
from bot.talk import Talk

POPUP, CHANGE, SENT = "SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"


async def asked(talk: Talk) -> Reply:
    """Only 允许 in the popup gives a notice. A refused popup takes back nothing given before; 拒收 in the
    settings does, in every county, and is all that the platform tells of them."""
    for one in _listed(talk, POPUP):
        if xml.text(one, "SubscribeStatusString") == "accept" and xml.text(one, "TemplateId"):
            await grants.granted(talk.tx, talk.openid, xml.text(one, "TemplateId"))
    for one in _listed(talk, CHANGE):
        if xml.text(one, "SubscribeStatusString") == "reject":
            await take_rejection.queue(talk.tx, talk.openid, xml.text(one, "TemplateId"))
    return None


async def reported(talk: Talk) -> Reply:
    for one in _listed(talk, SENT):
        if number := xml.text(one, "MsgID"):
            await take_notice_report.queue(talk.tx, number, xml.text(one, "ErrorCode"))
    return None


def _listed(talk: Talk, name: str) -> Iterator[xml.Fields]:
    wrapped = talk.message.fields.get(name)
    found = wrapped.get("List", []) if isinstance(wrapped, dict) else []
    return (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict))
