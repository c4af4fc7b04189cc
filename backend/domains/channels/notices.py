"""What a customer must hear of, and by which means they were told: one row, one means that carried it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.statements import Q

Means = Literal["custom", "subscription", "sms", "bank"]
ORDER: tuple[Means, ...] = ("custom", "subscription", "sms")
"""The means of most notices in the order they are tried (issue §5); one that is told otherwise brings its own."""

LABELS: dict[str, str] = {
    "custom": "客服消息",
    "subscription": "订阅通知",
    "sms": "短信",
    "bank": "手机银行消息",
}


class Notice(msgspec.Struct, frozen=True):
    """`means` is the one under way (or the one that carried it); `steps` what came of each."""

    id: str
    key: str
    case_id: str
    about: str
    means: Means | None
    steps: list[dict[str, str]]
    sent_at: datetime | None
    ended_at: datetime | None

    def in_doubt(self, means: Means) -> bool:
        """An earlier attempt by this means ended without an answer: it may have arrived."""
        return any(step["means"] == means and step["outcome"] == "trying" for step in self.steps)

    def still_to_try(self, order: tuple[Means, ...] = ORDER) -> tuple[Means, ...]:
        """The means under way first: its outcome is not known, and the same key cannot double it."""
        tried = {step["means"] for step in self.steps if step["outcome"] != "trying"}
        return tuple(means for means in order if means not in tried)


async def open(tx: Tx, key: str, case_id: str, about: str) -> Notice:
    """The notice of this key, made at the first attempt."""
    await Q.insert_notice(
        tx, institution_id=tx.institution_id, id=ids.new(), key=key, case_id=case_id, about=about, now=tx.now
    )
    return _notice(await Q.notice(tx, institution_id=tx.institution_id, key=key))


async def trying(tx: Tx, notice: Notice, means: Means) -> None:
    """Written before the call, so that a crash in between is seen as 'perhaps sent by this means'."""
    steps = [s for s in notice.steps if s["means"] != means]
    await _set(tx, notice, means, [*steps, {"means": means, "outcome": "trying", "at": tx.now.isoformat()}])


async def refused(tx: Tx, notice: Notice, means: Means, why: str) -> Notice:
    """This means cannot carry it; the next one may."""
    steps = [s for s in notice.steps if s["means"] != means]
    steps.append({"means": means, "outcome": why, "at": tx.now.isoformat()})
    await _set(tx, notice, None, steps)
    return msgspec.structs.replace(notice, means=None, steps=steps)


async def not_sent(tx: Tx, notice: Notice, means: Means) -> None:
    """Surely nothing went out this time: the next attempt chooses anew."""
    await _set(tx, notice, None, [s for s in notice.steps if s["means"] != means])


async def came_back(tx: Tx, key: str, why: str) -> Notice | None:
    """The platform could not show a subscription notice: open again for the means after it.

    None when it was not carried by a subscription notice, or is open again already.
    """
    notice = _notice(await Q.notice(tx, institution_id=tx.institution_id, key=key))
    steps = [s for s in notice.steps if s["means"] != "subscription"]
    steps.append({"means": "subscription", "outcome": why, "at": tx.now.isoformat()})
    if not await Q.reopen_notice(tx, institution_id=tx.institution_id, id=notice.id, steps=steps):
        return None
    audit.add(tx, "notice.came_back", notice.case_id, about=notice.about, why=why)
    return notice


async def institution_of(tx: Tx, key: str) -> str | None:
    """Whose notice it is; needs a union-wide reader."""
    row = await Q.notice_of_key(tx, key=key)
    return None if row is None else str(row["institution_id"])


async def sent(tx: Tx, notice: Notice, means: Means) -> None:
    await Q.notice_sent(tx, institution_id=tx.institution_id, id=notice.id, means=means, now=tx.now)
    audit.add(tx, "notice.sent", notice.case_id, about=notice.about, means=means)


async def ended(tx: Tx, notice: Notice, why: str) -> None:
    """Nothing could carry it, or it is no longer true; staff see it."""
    await Q.notice_ended(tx, institution_id=tx.institution_id, id=notice.id, now=tx.now)
    audit.add(tx, "notice.not_sent", notice.case_id, about=notice.about, why=why)


async def of_case(tx: Tx, case_id: str) -> list[Notice]:
    rows = await Q.notices_of_case(tx, institution_id=tx.institution_id, case_id=case_id)
    return [_notice(row) for row in rows]


async def _set(tx: Tx, notice: Notice, means: Means | None, steps: list[dict[str, str]]) -> None:
    await Q.set_notice(tx, institution_id=tx.institution_id, id=notice.id, means=means, steps=steps)


def _notice(row: Any) -> Notice:
    return Notice(**dict(row))
