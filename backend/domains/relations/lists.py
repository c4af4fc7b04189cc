"""名单: proposed by one person with a reason, a source and a last day, counted once another has agreed (A6-01).

Head office's entries are rows of institution 0000 and stand for every county. A block list stops a person by the
ID number only; any other number on it, and the watch list, lead to a person. The allow list never lets anybody
through: it says of a shared phone, network or trader's account that it is known, so that it joins nobody.
"""

from collections.abc import Sequence
from datetime import date, datetime

from backend.core import check_digits, clock, ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.relations import rules, service
from backend.domains.relations.model import (
    ENTRY,
    LISTED_KINDS,
    LISTS,
    Entry,
    EntryIncomplete,
    EntryMoved,
    EntryNotFound,
    EntryThere,
    NotYourEntry,
)
from backend.domains.relations.repository import Q

_TABLE = "relations.list_entries"
SHORTEST, LONGEST = 4, 200


async def propose(
    tx: Tx, *, list_name: str, kind: str, text: str, reason: str, source: str, expires_on: date | None
) -> str:
    """Returns the entry's id. Raises `EntryIncomplete` by field, `EntryThere`."""
    problems = _problems(tx, list_name, kind, text, reason, source, expires_on)
    if problems:
        raise EntryIncomplete(fields=problems)
    key = service.key(tx, kind, text)
    line = {"institution_id": tx.institution_id, "list": list_name, "kind": kind, "key": key}
    for lapsed in await Q.lapse(tx, **line, ended_by=str(tx.actor), now=tx.now, today=_today(tx)):
        audit.add(tx, "list.ended", lapsed["id"], list=list_name, kind=kind, reason="过了最后一天")
    entry_id = ids.new()
    made = await Q.propose(
        tx,
        **line,
        id=entry_id,
        shown=tx.vault.encrypt(_TABLE, "shown", entry_id, text.strip()),
        reason=tx.vault.encrypt(_TABLE, "reason", entry_id, reason.strip()),
        source=source.strip(),
        made_by=str(tx.actor),
        now=tx.now,
        expires_on=expires_on,
    )
    if made is None:
        raise EntryThere()
    audit.add(tx, "list.proposed", entry_id, list=list_name, kind=kind, source=source.strip())
    return entry_id


def _problems(
    tx: Tx, list_name: str, kind: str, text: str, reason: str, source: str, expires_on: date | None
) -> dict[str, str]:
    found = {}
    if list_name not in LISTS:
        found["list"] = "请选一份名单"
    if kind not in LISTED_KINDS:
        found["kind"] = "请选号码的种类"
    elif list_name == "allow" and kind == "id_number":
        found["kind"] = "放行名单不能放身份证号：名单不能让人免审"
    if not 2 <= len(text.strip()) <= LONGEST:
        found["text"] = "请填号码或地址"
    elif wrong := _malformed(kind, rules.plain(kind, text)):
        found["text"] = wrong
    if not SHORTEST <= len(reason.strip()) <= LONGEST:
        found["reason"] = f"请写明原因，至少 {SHORTEST} 个字"
    if not 2 <= len(source.strip()) <= LONGEST:
        found["source"] = "请写明从哪里来的，例如“公安协查函 2026-15 号”"
    if expires_on is None or expires_on < _today(tx):
        found["expires_on"] = "请填到哪一天为止，不能早于今天"
    return found


def _malformed(kind: str, plain: str) -> str:
    """A number nobody can have protects nobody: why it is none, or empty."""
    if kind == "id_number" and not check_digits.is_id_number(plain):
        return "身份证号不对：18 位，对一遍出生日期和最后一位"
    if kind == "phone" and not (plain.isascii() and plain.isdigit() and 7 <= len(plain) <= 15):
        return "电话号码不对：只写数字，固定电话带区号"
    if kind == "payee" and not plain.isascii():
        return "账号不对：只写数字和字母"
    return ""


async def approve(tx: Tx, entry_id: str) -> None:
    """From the commit on it counts. Raises `NotYourEntry`, `EntryMoved`, `EntryNotFound`."""
    await _check(tx, entry_id, "active")


async def refuse(tx: Tx, entry_id: str) -> None:
    """As `approve`, with the other answer."""
    await _check(tx, entry_id, "refused")


async def _check(tx: Tx, entry_id: str, status: str) -> None:
    entry = await get(tx, entry_id)
    if entry.made_by == str(tx.actor):
        raise NotYourEntry()
    done = await Q.check_entry(
        tx, institution_id=tx.institution_id, id=entry_id, status=status, checked_by=str(tx.actor), now=tx.now
    )
    if done is None:
        raise EntryMoved()
    audit.add(tx, f"list.{status}", entry_id, list=entry.list, kind=entry.kind)
    if entry.list == "allow" and status == "active":
        await _let_be(tx, entry, True)


async def end(tx: Tx, entry_id: str, reason: str) -> None:
    """To be taken off. What is only allowed goes at once, the others when another person has agreed: whom a list
    stops is not let go by one alone. Raises `EntryMoved`, `EntryNotFound`, `EntryIncomplete`."""
    entry = await get(tx, entry_id)
    if not SHORTEST <= len(reason.strip()) <= LONGEST:
        raise EntryIncomplete(fields={"end": f"请写明为什么撤下，至少 {SHORTEST} 个字"})
    if entry.list == "allow":
        await _off(tx, entry, reason.strip())
        await _let_be(tx, entry, False)
        return
    why = tx.vault.encrypt(_TABLE, "end_why", entry_id, reason.strip())
    asked = {"institution_id": tx.institution_id, "id": entry_id, "asked_by": str(tx.actor), "now": tx.now}
    if await Q.ask_end(tx, **asked, why=why) is None:
        raise EntryMoved()
    audit.add(tx, "list.end_asked", entry_id, list=entry.list, kind=entry.kind, reason=reason.strip())


async def agree_to_end(tx: Tx, entry_id: str) -> None:
    """The second person: off it goes. Raises `NotYourEntry`, `EntryMoved`, `EntryNotFound`."""
    entry = await get(tx, entry_id)
    if entry.end_asked_by == str(tx.actor):
        raise NotYourEntry()
    if entry.end_asked_by is None:
        raise EntryMoved()
    await _off(tx, entry, entry.end_why)


async def keep(tx: Tx, entry_id: str) -> None:
    """It stays: the second person's no, or the first takes it back. Raises `EntryMoved`, `EntryNotFound`."""
    entry = await get(tx, entry_id)
    if await Q.keep_entry(tx, institution_id=tx.institution_id, id=entry_id) is None:
        raise EntryMoved()
    audit.add(tx, "list.kept", entry_id, list=entry.list, kind=entry.kind)


async def _off(tx: Tx, entry: Entry, reason: str) -> None:
    given = {"institution_id": tx.institution_id, "id": entry.id, "ended_by": str(tx.actor), "now": tx.now}
    if await Q.end_entry(tx, **given) is None:
        raise EntryMoved()
    audit.add(tx, "list.ended", entry.id, list=entry.list, kind=entry.kind, reason=reason)


async def _let_be(tx: Tx, entry: Entry, allowed: bool) -> None:
    """The graph of this institution at once; what head office allows reaches the counties with the night."""
    given = {
        "institution_id": tx.institution_id,
        "kind": entry.kind,
        "key": service.key(tx, entry.kind, entry.shown),
    }
    await Q.take(tx, institution_id=tx.institution_id)
    if await Q.allow(tx, **given, allowed=allowed):
        await Q.reconsider(tx, **given)


async def get(tx: Tx, entry_id: str) -> Entry:
    """Raises `EntryNotFound`."""
    row = await Q.entry(tx, institution_id=tx.institution_id, id=entry_id) if ids.is_uuid(entry_id) else None
    if row is None:
        raise EntryNotFound()
    return _opened(tx, row)


async def entries(tx: Tx) -> list[Entry]:
    """The institution's own, what waits for a second person first."""
    return [_opened(tx, row) for row in await Q.entries(tx, institution_id=tx.institution_id)]


async def to_forget(tx: Tx, before: datetime, most: int) -> list[tuple[str, str]]:
    """(institution, entry) of lines that last counted before a moment; needs a union-wide reader."""
    given = {"before": before, "before_on": clock.local(before).date()}
    return [(row["institution_id"], row["id"]) for row in await Q.entries_to_forget(tx, **given, most=most)]


async def forget(tx: Tx, entry_id: str, before: datetime) -> bool:
    """Nothing of the line names or finds anybody any more; False when that was done, or it counts again."""
    given = {"before": before, "before_on": clock.local(before).date(), "who": str(tx.actor), "now": tx.now}
    row = await Q.forget_entry(tx, institution_id=tx.institution_id, id=entry_id, **given)
    if row is not None:
        audit.add(tx, "list.forgotten", entry_id, list=row["list"], kind=row["kind"])
    return row is not None


async def waiting(tx: Tx, institutions: Sequence[str]) -> dict[str, int]:
    """By institution, how many wait for the person of `tx` as the second one."""
    return dict(await Q.waiting_entries(tx, institutions=list(institutions), who=str(tx.actor)))


def _opened(tx: Tx, row: object) -> Entry:
    values = dict(row)  # type: ignore[call-overload]
    for name in ("shown", "reason", "end_why"):
        stored = values[name]
        values[name] = tx.vault.decrypt(_TABLE, name, values["id"], stored) if stored else ""
    return Entry(**values)


def _today(tx: Tx) -> date:
    return clock.local(tx.now).date()


def label(entry: Entry) -> str:
    return ENTRY.labels[entry.status]
