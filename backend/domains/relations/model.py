"""Shapes of the relation graph. Keys are blind indexes everywhere; nothing here can be read back into a number."""

from datetime import date, datetime
from typing import Literal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

Role = Literal["own", "used"]
Source = Literal["application", "phone", "binding", "guarantee", "draw", "roster"]

WINDOWS: tuple[str, ...] = ("24h", "30d", "90d")
"""The windows every key is counted over, back from the submission; a network over the first alone."""

LISTS = {"block": "黑名单", "watch": "关注名单", "allow": "放行名单", "staff": "本行员工"}
LISTED_KINDS = ("id_number", "phone", "openid", "address", "payee", "network")

ENTRY = Lifecycle(
    "list_entry",
    {"proposed": "等另一人复核", "active": "生效", "refused": "没有同意", "ended": "已撤下"},
    {"proposed": ("active", "refused"), "active": ("ended",)},
)
FINDING = Lifecycle(
    "relation_finding",
    {"open": "没人接手", "in_hand": "核查中", "confirmed": "属实", "false_alarm": "误报"},
    {"open": ("in_hand",), "in_hand": ("confirmed", "false_alarm")},
)


class EntryNotFound(NotFound):
    code = "list_entry_not_found"
    message = "没有这条名单"


class EntryThere(Conflict):
    code = "list_entry_there"
    message = "这份名单上已经有它了"


class EntryMoved(Conflict):
    code = "list_entry_moved"
    message = "这条名单刚被别人处理过，请看最新的情况"


class EntryIncomplete(Invalid):
    code = "list_entry_incomplete"
    message = "还有几处要改"


class NotYourEntry(NotPermitted):
    code = "list_entry_own"
    message = "自己提的名单要由另一个人复核"


class FindingNotFound(NotFound):
    code = "relation_finding_not_found"
    message = "没有这条发现"


class FindingMoved(Conflict):
    code = "relation_finding_moved"
    message = "这条发现刚被别人处理过，请看最新的情况"


class SayMore(Invalid):
    code = "relation_finding_unsaid"
    message = "请写明核查的情况，至少 4 个字"


class Kind(msgspec.Struct, frozen=True):
    """`hub_above`: with more customers than this a key joins nobody to anybody."""

    kind: str
    label: str
    hub_above: int
    connects: bool


class Pattern(msgspec.Struct, frozen=True):
    """What is worth a look: from `least` households on, within `days` where only a burst counts."""

    code: str
    label: str
    severity: Literal["refer", "note"]
    least: int
    days: int | None


class Count(msgspec.Struct, frozen=True):
    """Distinct customers and applications, this one included."""

    customers: int = 0
    applications: int = 0


class Velocity(msgspec.Struct, frozen=True):
    """Counts by kind and window; a key that did not come up counts nothing."""

    counts: dict[str, dict[str, Count]]

    def of(self, kind: str, window: str) -> Count:
        return self.counts.get(kind, {}).get(window, Count())


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else on the same node. `household` names the home, or the person alone when none is known."""

    customer_id: str
    role: Role
    household: str
    first_at: datetime
    application_id: str | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the customer uses or owns, with the others on it, the newest first and at most `MOST_OTHERS`."""

    kind: str
    label: str
    key: bytes
    role: Role
    first_at: datetime
    last_at: datetime
    customers: int
    hub: bool
    allowed: bool
    others: tuple[Other, ...] = ()


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """The graph around one customer. `guaranteed_back` are those who guarantee each other back to the customer;
    ring figures stop at 1,000 customers."""

    customer_id: str
    household: str
    links: tuple[Link, ...] = ()
    ring_customers: int = 1
    ring_households: int = 1
    guaranteed_back: tuple[str, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern found. `evidence` says what is shared with how many since when; `applications` are case ids."""

    code: str
    label: str
    severity: str
    evidence: str
    since: datetime | None = None
    applications: tuple[str, ...] = ()


class ListHit(msgspec.Struct, frozen=True):
    """`union`: the entry is head office's."""

    list: str
    kind: str
    union: bool
    id: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list, opened. `end_asked_by` wants it taken off, and waits for another person."""

    institution_id: str
    id: str
    list: str
    kind: str
    shown: str
    reason: str
    source: str
    status: str
    made_by: str
    made_at: datetime
    checked_by: str | None
    checked_at: datetime | None
    expires_on: date
    ended_at: datetime | None
    end_asked_by: str | None
    end_asked_at: datetime | None
    end_why: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`customer_id` is where the picture begins; `said` what the owner found out."""

    id: str
    code: str
    label: str
    kind: str
    kind_label: str
    customer_id: str
    customers: int
    households: int
    since: datetime
    status: str
    raised_at: datetime
    owner: str | None
    said: str
    answered_at: datetime | None


class FalseAlarms(msgspec.Struct, frozen=True):
    """How the answered findings of one pattern turned out."""

    code: str
    label: str
    confirmed: int
    false_alarms: int
    open: int


class Run(msgspec.Struct, frozen=True):
    """One night of one institution."""

    run_on: date
    customers: int
    aged: int
    differing: int
    findings: int
