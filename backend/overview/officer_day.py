"""An officer's day: what their codes brought, and who needs them now, the most urgent first (A1-04, A2-02, A3-01)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from backend.core import clock, money
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import APPLICATION, Application
from backend.domains.channels import tickets
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.post_loan import collections, drawdowns, warnings
from backend.domains.reviews import service as reviews
from backend.overview import guarantors
from backend.overview.work_list import Q, midnight, product_names, short

LATELY = timedelta(days=7)
SOON = timedelta(days=3)
"""An offer that ends within these days comes before people who stopped on the road."""
FUNNEL_DAYS = 30
PAGE = 30

STEPS = {
    "identity": "拍身份证",
    "phone": "验证手机",
    "consents": "看授权",
    "liveness": "人脸核对",
    "details": "填用途和金额",
    "submit": "最后提交",
}
"""Where a draft stopped, in an officer's words."""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "filling": ("正在填", ("draft",)),
    "deciding": ("审批中", ("submitted", "deciding", "referred", "held")),
    "approved": ("已通过", ("approved", "handed_off")),
    "customers": ("已签约", ("signed", "drawn", "repaid")),
    "ended": ("没办成", ("declined", "expired", "cancelled", "abandoned")),
}
"""Filters of the customer list: key → (label, statuses)."""


class Day(msgspec.Struct, frozen=True):
    scans: int
    submitted: int
    approved: int
    drawn: int
    drawn_fen: int
    households: int


class Funnel(msgspec.Struct, frozen=True):
    """Since `days` ago; each phone counts once among the visitors."""

    days: int
    visitors: int
    begun: int
    submitted: int
    approved: int
    drawn: int


class ToDo(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: inquiry, call, drawdown, warning, collection, draft or offer. `key` is the application's number of the
    last two, the ticket's of a call, else an id."""

    kind: str
    key: str
    title: str
    reason: str
    due_at: datetime | None
    since: datetime | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One customer of the list."""

    application_no: str
    name: str
    product: str
    label: str
    detail: str
    at: datetime


class Page(msgspec.Struct, frozen=True):
    """`next_key` is (updated_at, id) of the last line, or None when this is the last page."""

    lines: list[Line]
    next_key: tuple[datetime, str] | None


async def today(tx: Tx) -> Day:
    row = await Q.officer_today(
        tx, institution_id=tx.institution_id, officer_id=tx.actor.id, today=midnight()
    )
    counts = dict(row)
    amount = counts.pop("drawn_amount")
    return Day(drawn_fen=money.fen(Decimal(amount)), **counts)


async def funnel(tx: Tx) -> Funnel:
    since = midnight() - timedelta(days=FUNNEL_DAYS - 1)
    row = await Q.officer_funnel(tx, institution_id=tx.institution_id, officer_id=tx.actor.id, since=since)
    return Funnel(FUNNEL_DAYS, **dict(row))


async def to_do(tx: Tx, most: int = 100) -> list[ToDo]:
    """Questions of the reviewers and customers who were promised a call first (a promise to a customer runs), then
    customers who wait for their money and warnings, offers about to end, who stopped on the road while a call still
    helps, and the other offers by their day."""
    offers = await _offers(tx, most)
    ending = [each for each in offers if each.due_at and each.due_at <= tx.now + SOON]
    found = [
        *await inquiries(tx),
        *await _calls(tx),
        *await _drawdowns(tx, most),
        *await _warnings(tx, most),
        *await _collections(tx, most),
        *ending,
        *await _drafts(tx, most),
        *offers[len(ending) :],
    ]
    return found[:most]


async def inquiries(tx: Tx) -> list[ToDo]:
    found = []
    for owed in await reviews.owed(tx, tx.actor.id):
        application = await applications.get(tx, owed.application_id)
        names = await customers.names_marked(tx, [application.customer_id])
        found.append(
            ToDo(
                kind="inquiry",
                key=owed.inquiry.id,
                title=f"{names.get(application.customer_id, '客户')} · 审查人请您核实",
                reason=owed.inquiry.asked,
                due_at=owed.due_at,
            )
        )
    return found


async def _calls(tx: Tx) -> list[ToDo]:
    found = await tickets.calls(tx, tx.actor.id)
    names = await customers.names_marked(tx, (ticket.customer_id for ticket in found))
    return [
        ToDo(
            kind="call",
            key=ticket.ticket_no,
            title=f"{names.get(ticket.customer_id, '客户')} · 找您",
            reason=short(ticket.text) or "客户没有留话，只要求人工",
            due_at=ticket.due_at,
        )
        for ticket in found
    ]


async def _drawdowns(tx: Tx, most: int) -> list[ToDo]:
    """Held drawdowns of the last days: the customer waits for the money (A7-06)."""
    rows = await Q.officer_drawdowns(
        tx, institution_id=tx.institution_id, officer_id=tx.actor.id, since=tx.now - LATELY, most=most
    )
    held = [await drawdowns.get(tx, row["id"]) for row in rows]
    names = await customers.names_marked(tx, (check.customer_id for check in held))
    return [
        ToDo(
            kind="drawdown",
            key=check.id,
            title=f"{names.get(check.customer_id, '客户')} · 用款 {money.yuan(check.amount_fen):,.0f} 元等您核实",
            reason=short(check.said),
            due_at=None,
            since=check.asked_at,
        )
        for check in held
    ]


async def _warnings(tx: Tx, most: int) -> list[ToDo]:
    """What the nights said of the lines this officer looks after (A6-06)."""
    found = await warnings.of_owner(tx, tx.actor.id, most)
    names = await customers.names_marked(tx, (each.customer_id for each in found))
    return [
        ToDo(
            kind="warning",
            key=each.id,
            title=f"{names.get(each.customer_id, '客户')} · {each.action_label}",
            reason=short(each.said),
            due_at=datetime.combine(each.due_on, time(18), clock.LOCAL),
        )
        for each in found
    ]


async def _collections(tx: Tx, most: int) -> list[ToDo]:
    """Overdue customers whose turn it is by the strategy's pace (A6-07); whether now, the guard says at the contact."""
    found = await collections.of_owner(tx, tx.actor.id, clock.today(), most)
    names = await customers.names_marked(tx, (each.customer_id for each in found))
    return [
        ToDo(
            kind="collection",
            key=each.id,
            title=f"{names.get(each.customer_id, '客户')} · 逾期 {each.days_past_due} 天，{each.channel_label}",
            reason=short(each.said),
            due_at=None,
            since=datetime.combine(each.next_on, time(8), clock.LOCAL),
        )
        for each in found
    ]


async def _drafts(tx: Tx, most: int) -> list[ToDo]:
    rows = await Q.officer_drafts(
        tx, institution_id=tx.institution_id, officer_id=tx.actor.id, since=tx.now - LATELY, most=most
    )
    names = await customers.names_marked(tx, (row["customer_id"] for row in rows))
    return [
        ToDo(
            kind="draft",
            key=row["application_no"],
            title=f"{names.get(row['customer_id'], '新客户')} · 停在{STEPS[row['step']]}",
            reason=_draft_reason(
                row["placement_label"], known=row["customer_id"] is not None, agreed=row["agreed"]
            ),
            due_at=None,
            since=row["updated_at"],
        )
        for row in rows
    ]


def _draft_reason(placement: str | None, *, known: bool, agreed: bool) -> str:
    """Who did not agree to be won is not called (D3-03); the marketing gate has the last word."""
    came = f"从“{placement}”进来，" if placement else ""
    if not known:
        return f"{came}还没拍身份证，在群里提醒一声"
    return f"{came}{'可以打电话帮一把' if agreed else '没有同意营销联系，等客户自己回来'}"


async def _offers(tx: Tx, most: int) -> list[ToDo]:
    rows = await Q.officer_offers(tx, institution_id=tx.institution_id, officer_id=tx.actor.id, most=most)
    names = await customers.names_marked(tx, (row["customer_id"] for row in rows))
    return [
        ToDo(
            kind="offer",
            key=row["application_no"],
            title=f"{names.get(row['customer_id'], '客户')} · 额度还没签约",
            reason=f"批了 {row['limit_amount']:,.0f} 元，" + await _waits_for(tx, row["id"], row["status"]),
            due_at=datetime.combine(row["valid_until"], time(23, 59), clock.LOCAL),
        )
        for row in rows
    ]


async def _waits_for(tx: Tx, application_id: str, status: str) -> str:
    if status == "handed_off":
        return "已转到手机银行，提醒签约"
    missing = await guarantors.missing(tx, await contracts.get(tx, application_id))
    return f"还差 {missing} 位保证人确认" if missing else "等客户看明示表"


async def page(tx: Tx, group: str, before: tuple[datetime, str] | None, officer_id: str = "") -> Page:
    """The next customers after `before`, one's own unless told whose. An unknown group means all."""
    _, statuses = GROUPS.get(group, ("", tuple(APPLICATION.labels)))
    before_at, before_id = before or (None, None)
    rows = await Q.officer_cases(
        tx,
        institution_id=tx.institution_id,
        officer_id=officer_id or tx.actor.id,
        statuses=list(statuses),
        before_at=before_at,
        before_id=before_id,
        most=PAGE + 1,
    )
    shown = rows[:PAGE]
    lines = await _lines(tx, [dict(row) for row in shown])
    more = len(rows) > PAGE
    return Page(lines, (shown[-1]["updated_at"], shown[-1]["id"]) if more else None)


async def lines_of(tx: Tx, found: Sequence[Application]) -> list[Line]:
    """The same lines of cases found otherwise."""
    return await _lines(tx, [msgspec.structs.asdict(each) for each in found])


async def _lines(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    names = await customers.names_marked(tx, (row["customer_id"] for row in rows))
    products_now = await product_names(tx)
    return [
        Line(
            application_no=row["application_no"],
            name=names.get(row["customer_id"], "新客户"),
            product=products_now.get(row["product_code"], row["product_code"]),
            label=APPLICATION.labels[row["status"]],
            detail=_detail(row["status"], row["step"], row["amount_fen"]),
            at=row["updated_at"],
        )
        for row in rows
    ]


def _detail(status: str, step: str, amount_fen: int | None) -> str:
    if status == "draft":
        return f"停在{STEPS[step]}"
    return f"申请 {amount_fen // 100:,} 元" if amount_fen else ""
