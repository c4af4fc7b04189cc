"""What a handler knows about the conversation it answers in."""

from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.channels.model import Follower, Said
from backend.domains.institutions.model import Institution
from backend.settings import Settings
from backend.web import templates
from bot.messages import Message
from bot.replies import Text


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """`institution` is None while nobody knows which county serves the person. `customer_id` is set only for an
    account bound here; `bound_at` names the counties where it is bound. `named`: these words say which county;
    `waiting` is what waited for that."""

    settings: Settings
    tx: Tx
    message: Message
    words: str
    named: bool
    waiting: Said | None
    institution: Institution | None
    institutions: list[Institution]
    follower: Follower | None
    customer_id: str | None
    bound_at: list[str]

    @property
    def openid(self) -> str:
        return self.message.openid

    def url(self, path: str) -> str:
        return self.settings.public_base.rstrip("/") + path


def say(template: str, **values: Any) -> Text:
    """A text from templates/bot/…; values are ours or numbers, never what the person typed."""
    text = templates.environment().get_template(f"bot/{template}").render(values)
    return Text("\n".join(line.rstrip() for line in text.strip().splitlines()))
