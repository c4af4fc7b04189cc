"""Words of the channels domain."""

from datetime import datetime, timedelta

import msgspec

from backend.core.errors import NotFound
from backend.core.lifecycle import Lifecycle

MESSAGE_WINDOW = timedelta(hours=48)
EVENT_WINDOW = timedelta(minutes=1)
"""How long customer-service messages may follow what the person did (wechat.md)."""

SAME_TALK = timedelta(minutes=30)
"""What was said longer ago belongs to another conversation."""

TICKET = Lifecycle(
    "ticket",
    {"open": "处理中", "answered": "已答复", "closed": "已办结"},
    {"open": ("answered",), "answered": ("open", "closed")},
)


class Follower(msgspec.Struct, frozen=True, kw_only=True):
    """A WeChat account as one county knows it. The county with the newest `routed_at` serves it."""

    institution_id: str
    openid: str
    code_id: str | None
    code_token: str | None
    officer_id: str | None
    product_code: str | None
    routed_at: datetime
    following: bool
    last_message_at: datetime | None
    last_event_at: datetime | None


class Said(msgspec.Struct, frozen=True):
    """An earlier message of the same talk; `words` is empty for a tap on the menu."""

    topic: str
    words: str


class Lead(msgspec.Struct, frozen=True):
    institution_id: str
    id: str
    code_id: str
    officer_id: str | None
    product_code: str
    scanned_at: datetime


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`text` and `answer` are opened."""

    institution_id: str
    id: str
    ticket_no: str
    kind: str
    openid: str
    customer_id: str | None
    owner_id: str | None
    text: str
    answer: str
    status: str
    due_at: datetime
    created_at: datetime
    answered_at: datetime | None

    @property
    def label(self) -> str:
        return TICKET.labels[self.status]


class TicketNotFound(NotFound):
    code = "ticket_not_found"
    message = "没有找到这个单号"
