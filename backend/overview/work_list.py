"""What waits for the people of a county, the most urgent first, with the reason beside it (A2-02, A7-05, D4-09)."""

from datetime import datetime, time
from typing import Any

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db import queries
from backend.db.database import Tx
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import REPORT_KINDS
from backend.domains.channels import tickets
from backend.domains.channels.model import Ticket
from backend.domains.customers import erasure_requests
from backend.domains.customers import service as customers
from backend.domains.decision import service as decisions
from backend.domains.institutions.model import HEAD_OFFICE
from backend.domains.products import service as products
from backend.domains.reviews import rechecks
from backend.domains.reviews.model import GROUNDS, RECHECK_TRIGGERS, Recheck

Q = queries.load(__package__, "queries_staff.sql")

MOST = 50
_KINDS = {"human": "客户要找人", "complaint": "投诉", "erasure": "客户要删信息"}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: referred, requested, recheck, wrong, human, complaint, erasure or report. `number` is what people read
    out (of a re-check its id). `holder` has the ball, `elsewhere` when somebody else must answer before who asks
    goes on; `due_at` is None where no clock runs."""

    kind: str
    number: str
    title: str
    reason: str
    holder: str
    due_at: datetime | None
    since: datetime
    elsewhere: bool = False

    def late(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at < now


class WorkList(msgspec.Struct, frozen=True):
    """At most `MOST` tasks of a kind, the most urgent; `counts` has all of them, and of dead letters.
    `wrong` are re-checks that found an approval wrong."""

    cases: list[Task]
    tickets: list[Task]
    reports: list[Task]
    rechecks: list[Task]
    wrong: list[Task]
    counts: dict[str, int]


class CountyLoad(msgspec.Struct, frozen=True):
    """One county's line on head office's page."""

    institution_id: str
    name: str
    reviews: int
    late_reviews: int
    tickets: int
    late_tickets: int
    reports: int
    dead: int
    submitted_today: int

    @property
    def late(self) -> int:
        return self.late_reviews + self.late_tickets


async def of_county(tx: Tx) -> WorkList:
    """Inside a read of one institution."""
    counts = dict(await Q.waiting_counts(tx, institution_id=tx.institution_id))
    return WorkList(
        await _cases(tx),
        await _tickets(tx),
        await _reports(tx),
        [_recheck(each, "recheck") for each in await rechecks.listed(tx, "open", MOST)],
        [_recheck(each, "wrong") for each in await rechecks.listed(tx, "disagreed", MOST)],
        counts,
    )


async def of_union(tx: Tx) -> list[CountyLoad]:
    """Counts of every county and of the union itself; needs a union-wide reader. What is late comes first."""
    rows = await Q.county_loads(
        tx, today=midnight(), now=tx.now, union_id=HEAD_OFFICE.id, union_name=HEAD_OFFICE.short_name
    )
    return sorted((CountyLoad(*row) for row in rows), key=lambda load: -load.late)


def midnight() -> datetime:
    """The beginning of today in China."""
    return datetime.combine(clock.today(), time(), clock.LOCAL)


async def _cases(tx: Tx) -> list[Task]:
    rows = await _waiting(tx)
    names = await customers.names_marked(tx, (row["customer_id"] for row in rows))
    products_now = await product_names(tx)
    found = []
    for row in rows:
        amount = f"{row['amount_fen'] // 100:,} 元" if row["amount_fen"] else ""
        parts = (names.get(row["customer_id"], "客户"), products_now.get(row["product_code"], ""), amount)
        found.append(
            Task(
                kind=row["kind"],
                number=row["application_no"],
                title=" · ".join(part for part in parts if part),
                reason=await _why(tx, row["kind"], row["ground"], row["application_id"]),
                holder=_holder(row["asked_officer"], row["wished_by"], tx.actor),
                due_at=row["due_at"],
                since=row["opened_at"],
                elsewhere=row["elsewhere"],
            )
        )
    return found


async def _waiting(tx: Tx) -> list[Any]:
    found: list[Any] = await Q.waiting_reviews(
        tx, institution_id=tx.institution_id, me=f"staff:{tx.actor.id}", now=tx.now, most=MOST
    )
    return found


async def next_case(tx: Tx, application_id: str) -> str:
    """The number of the case a reviewer turns to after this one: the next of their list, or its first; '' for none."""
    mine = [row for row in await _waiting(tx) if not row["elsewhere"]]
    at = next((n for n, row in enumerate(mine) if row["application_id"] == application_id), -1)
    after = [row["application_no"] for row in (*mine[at + 1 :], *mine[: max(at, 0)])]
    return after[0] if after else ""


def _holder(asked_officer: str | None, wished_by: str | None, actor: Actor) -> str:
    if wished_by == f"staff:{actor.id}":
        return "您的意见等另一位审查人看"
    if wished_by:
        return "同事的意见等您看过才算" if actor.has("reviewer") else "意见等另一位审查人看"
    return f"客户经理{asked_officer}核实中" if asked_officer else "等审查人"


async def _why(tx: Tx, kind: str, ground: str, application_id: str) -> str:
    if kind == "requested":
        return f"客户申请人工复核：{GROUNDS.get(ground, ground)}"
    recorded = await decisions.latest_for(tx, application_id)
    if recorded is None:
        return "规则转人工"
    told = [reason.text for reason in recorded.opened.decision.reasons]
    return "转人工：" + "；".join(told[:2]) + ("等" if len(told) > 2 else "") if told else "规则转人工"


def _recheck(found: Recheck, kind: str) -> Task:
    why = "、".join(RECHECK_TRIGGERS[each] for each in found.triggers)
    return Task(
        kind=kind,
        number=found.id,
        title="抽查一笔自动通过的业务" if kind == "recheck" else "抽查看出一笔业务有问题",
        reason=why if kind == "recheck" else short(found.why),
        holder="等审查人" if kind == "recheck" else "等县行管理员处理",
        due_at=found.due_at if kind == "recheck" else None,
        since=found.opened_at if kind == "recheck" or found.found_at is None else found.found_at,
    )


async def _tickets(tx: Tx) -> list[Task]:
    found, proposed = await tickets.list_open(tx, MOST), await erasure_requests.asked(tx)
    return [_ticket(ticket, proposed.get(ticket.ticket_no), tx) for ticket in found]


def _ticket(ticket: Ticket, proposed_by: str | None, tx: Tx) -> Task:
    """`proposed_by` of a wish to be forgotten that waits for a second person."""
    mine = proposed_by == str(tx.actor)
    return Task(
        kind=ticket.kind,
        number=ticket.ticket_no,
        title=f"{_KINDS[ticket.kind]} {ticket.ticket_no}",
        reason=short(ticket.text) or "客户没有留话，只要求人工",
        holder="等管理员答复"
        if proposed_by is None
        else "您提出删除，等另一位管理员或省联社同意"
        if mine
        else "有人提出删除，等另一个人同意",
        due_at=ticket.due_at,
        since=ticket.created_at,
        elsewhere=mine and ticket.due_at >= tx.now,
    )


async def _reports(tx: Tx) -> list[Task]:
    return [
        Task(
            kind="report",
            number=report.ticket_no,
            title=f"举报 {report.ticket_no}",
            reason=f"{REPORT_KINDS[report.kind]}：{short(report.text) or '没有写细节'}",
            holder="等核实",
            due_at=None,
            since=report.reported_at,
        )
        for report in (await campaigns.open_reports(tx))[:MOST]
    ]


async def product_names(tx: Tx) -> dict[str, str]:
    return {
        product.code: product.name
        for product in await products.list_live(tx, tx.institution_id, clock.today())
    }


def short(text: str) -> str:
    """The first words of what somebody wrote, for a list."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:40]}…"
