"""数据来源的状况: which sources answer, which are asked no more, what they cost (N19, A5-10)."""

from datetime import date, datetime, timedelta

import msgspec

from backend.core import clock
from backend.db import queries
from backend.db.database import Tx
from backend.domains.evidence import breakers, sources

Q = queries.load(__package__)

STATES = {"closed": "正常", "open": "已停问", "half_open": "正在试"}
LAST = timedelta(hours=24)
SHOWN = timedelta(days=30)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `since` is when its state began, `retry_at` when it is tried next, both None for one that never
    failed; `last_error` is the kind of the last failure. Answers and cost (fen) are of the last 24 hours, for what
    the reader may see."""

    source: str
    label: str
    system: str
    state: str
    state_label: str
    since: datetime | None
    retry_at: datetime | None
    failures: int
    last_error: str
    held_until: datetime | None
    note: str
    noted_by: str
    fresh: int
    cached: int
    substitute: int
    cost_fen: int


class Picture(msgspec.Struct, frozen=True):
    """`held` cases wait for a source."""

    sources: list[Health]
    held: int


class Completeness(msgspec.Struct, frozen=True):
    """One day's decisions: `mean_bp` of the facts needed were there, `whole` decisions had all of them."""

    day: date
    cases: int
    mean_bp: int
    whole: int


async def completeness(tx: Tx) -> list[Completeness]:
    """The last 30 days, oldest first; a county's reader sees its own cases, a union-wide one all."""
    return [Completeness(*row) for row in await Q.completeness_by_day(tx, since=clock.now() - SHOWN)]


async def source_health(tx: Tx) -> Picture:
    """All sources that are asked outside. A county's reader sees its own cases, a union-wide one all."""
    known = await breakers.every(tx)
    counted = {
        (row["source"], row["rung"]): row for row in await Q.answers_by_source(tx, since=clock.now() - LAST)
    }

    def told(source: sources.Source) -> Health:
        breaker = known.get(source.name)
        rungs = {rung: counted.get((source.name, rung)) for rung in ("fresh", "cached", "substitute")}
        state = breaker.state if breaker else "closed"
        return Health(
            source=source.name,
            label=source.label,
            system=source.system,
            state=state,
            state_label=STATES[state],
            since=breaker.changed_at if breaker else None,
            retry_at=breaker.retry_at if breaker else None,
            failures=breaker.failures if breaker else 0,
            last_error=breaker.last_error if breaker else "",
            held_until=breaker.held_until if breaker and state != "closed" else None,
            note=breaker.note if breaker else "",
            noted_by=breaker.noted_by if breaker else "",
            cost_fen=sum(int(row["cost_fen"]) for row in rungs.values() if row),
            **{rung: int(row["answers"]) if row else 0 for rung, row in rungs.items()},
        )

    return Picture([told(source) for source in sources.asked()], int(await Q.cases_held(tx)))
