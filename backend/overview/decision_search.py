"""查决策: decisions by what people know of them — number, day, outcome, reason, product, versions, county (A6-03).

A county searches its own, head office those of the counties it may look at; the institutions stand in the SQL beside
row-level security. Pages by place, so that what is decided meanwhile moves nothing. Names are masked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from backend.core import ids
from backend.core.actor import ALL_INSTITUTIONS
from backend.core.errors import Invalid
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import service as customers
from backend.domains.strategies.model import Version

Q = queries.load(__package__, "queries_decisions.sql")
PAGE = 50
MOST_EXPORTED = 5_000
PERSON = {
    "open": "等人审查",
    "approved": "人工通过",
    "declined": "人工未通过",
    "granted": "复核同意",
    "upheld": "复核维持原结果",
    "anew": "用现在的资料重新审批",
    "closed": "没等到审查就结束",
}
"""What became of a case at a person's hands (`reviews`): a state that waits, or the answer."""
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Filters; '' and None leave one out. `person` is one of `PERSON`; `since` ≤ decided < `until`; `scorecard` a
    SHA-256."""

    institutions: tuple[str, ...]
    since: datetime
    until: datetime
    number: str = ""
    outcome: str = ""
    person: str = ""
    code: str = ""
    product_code: str = ""
    version: Version | None = None
    scorecard: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of the list. `name` is masked, '' for head office, which reads it on the page of the case. `person`
    is what somebody said of the case since, one of `PERSON`, with the amount and rate they gave."""

    institution_id: str
    id: str
    attempt: int
    product_code: str
    outcome: str
    amount_fen: int | None
    annual_rate_bp: int | None
    grade: str | None
    score: int | None
    reason_codes: list[str]
    decided_at: datetime
    application_no: str
    person: str | None = None
    person_amount_fen: int | None = None
    person_rate_bp: int | None = None
    name: str = ""


class Page(msgspec.Struct, frozen=True):
    """`place` is where the next page begins, '' when this is the last; `counts` by outcome over all pages."""

    rows: tuple[Found, ...]
    place: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class PlaceWrong(Invalid):
    code = "search_place_wrong"
    message = "这一页的位置不对，请从第一页再查"


def containing(asked: Asked) -> dict[str, object]:
    """What the stored versions of a decision must hold: the document that decided at a stage, the scorecard."""
    held: dict[str, object] = {"scorecard": asked.scorecard} if asked.scorecard else {}
    if asked.version is not None:
        layer = "strategies" if asked.version.layer == "union" else "overlays"
        held[layer] = {str(asked.version.stage): asked.version.document_hash}
    return held


async def search(tx: Tx, asked: Asked, place: str = "", most: int = PAGE) -> Page:
    """One page, and the counts of all. `tx` is the county's, or head office's reader. Raises `PlaceWrong`."""
    before_at, before_id = _read(place) if place else (asked.until, _LAST)
    filters = _filters(asked)
    rows = await Q.found_decisions(tx, **filters, before_at=before_at, before_id=before_id, most=most + 1)
    counts = {row[0]: int(row[1]) for row in await Q.counted_decisions(tx, **filters)}
    shown = rows[:most]
    names = {} if tx.institution_id == ALL_INSTITUTIONS else await _names(tx, shown)
    found = tuple(_found(row, names) for row in shown)
    return Page(found, _place(found[-1]) if len(rows) > most else "", counts)


def note(tx: Tx, asked: Asked, act: str, total: int) -> None:
    """Who looked for what goes into the audit chain: `act` searched or exported."""
    audit.add(
        tx,
        f"decisions.{act}",
        asked.number or "list",
        institutions=list(asked.institutions),
        since=asked.since,
        until=asked.until,
        outcome=asked.outcome,
        person=asked.person,
        code=asked.code,
        product=asked.product_code,
        version=asked.version.id if asked.version else "",
        scorecard=asked.scorecard,
        total=total,
    )


def _filters(asked: Asked) -> dict[str, object]:
    return {
        "institutions": list(asked.institutions),
        "number": asked.number,
        "since": asked.since,
        "until": asked.until,
        "outcome": asked.outcome,
        "person": asked.person,
        "code": asked.code,
        "product_code": asked.product_code,
        "containing": containing(asked),
    }


async def _names(tx: Tx, rows: Sequence[Mapping[str, object]]) -> dict[str | None, str]:
    return await customers.names(tx, (str(row["customer_id"]) for row in rows if row["customer_id"]))


def _found(row: Mapping[str, object], names: Mapping[str | None, str]) -> Found:
    held = dict(row)
    customer = held.pop("customer_id")
    return Found(**held, name=names.get(str(customer) if customer else None, ""))  # type: ignore[arg-type]


def _place(row: Found) -> str:
    return f"{row.decided_at.isoformat()}/{row.id}"


def _read(place: str) -> tuple[datetime, str]:
    at, _, number = place.partition("/")
    try:
        when = datetime.fromisoformat(at)
    except ValueError as cause:
        raise PlaceWrong() from cause
    if when.tzinfo is None or not 2000 <= when.year < 2200 or not ids.is_uuid(number):
        raise PlaceWrong()
    return when, number
