"""订阅通知: the person allowed one notice, or took it back (N17)."""

from backend.domains.channels import grants
from bot import xml
from bot.replies import Reply
from bot.talk import Talk

_LISTS = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent")


async def asked(talk: Talk) -> Reply:
    for name in _LISTS:
        wrapped = talk.message.fields.get(name)
        found = wrapped.get("List", []) if isinstance(wrapped, dict) else []
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, dict):
                await _note(talk, xml.text(one, "TemplateId"), xml.text(one, "SubscribeStatusString"))
    return None


async def _note(talk: Talk, template_id: str, status: str) -> None:
    if not template_id:
        return
    if status == "accept":
        await grants.granted(talk.tx, talk.openid, template_id)
    elif talk.message.kind == "event.subscribe_msg_change_event":
        # Taken back in the settings. A refused popup takes back nothing given before.
        await grants.rejected(talk.tx, talk.openid, template_id)
