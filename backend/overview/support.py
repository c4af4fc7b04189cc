"""What the support desk sees of one WeChat account or one application: all of it, masked, and written down.

Union-wide for head office, because a person may have come through several counties; a county's desk sees its own
alone, held by row-level security. Everything is read through the domains.
"""

import hashlib
from datetime import datetime

import msgspec

from backend.core import masking
from backend.core.actor import Actor, everywhere
from backend.core.errors import NotFound
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.channels import grants, notices, tickets
from backend.domains.channels import service as channels
from backend.domains.customers import service as customers
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION
from backend.outbox import effects


class NobodyFound(NotFound):
    code = "nobody_found"
    message = "没有这个微信或申请编号的记录"


class Binding(msgspec.Struct, frozen=True):
    institution_id: str
    customer: str
    id_number: str
    phone: str


class Lead(msgspec.Struct, frozen=True):
    institution_id: str
    code_id: str
    officer_id: str | None
    product_code: str
    scanned_at: datetime


class Case(msgspec.Struct, frozen=True):
    institution_id: str
    application_no: str
    product_code: str
    channel: str
    status: str
    label: str
    customer: str
    created_at: datetime


class EffectLine(msgspec.Struct, frozen=True):
    application_no: str
    kind: str
    key: str
    status: str
    attempts: int
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


class EventLine(msgspec.Struct, frozen=True):
    application_no: str
    seq: int
    event: str
    from_status: str | None
    to_status: str
    who: str
    at: datetime


class NoticeLine(msgspec.Struct, frozen=True):
    application_no: str
    about: str
    means: str | None
    steps: list[dict[str, str]]
    sent_at: datetime | None


class TicketLine(msgspec.Struct, frozen=True):
    institution_id: str
    ticket_no: str
    kind: str
    status: str
    due_at: datetime


class Seen(msgspec.Struct, kw_only=True):
    """`messages` counts what was taken in; a repeated delivery does not raise it."""

    openid: str
    serving: str | None = None
    following: bool | None = None
    bindings: list[Binding] = []
    messages: int = 0
    messages_by_topic: dict[str, int] = {}
    notices_allowed: dict[str, int] = {}
    leads: list[Lead] = []
    applications: list[Case] = []
    effects: list[EffectLine] = []
    events: list[EventLine] = []
    notices: list[NoticeLine] = []
    tickets: list[TicketLine] = []


async def look_up(db: Database, actor: Actor, what: str, *, within: str | None = None) -> Seen:
    """`what` is an openid or an application number; `within` the one institution a county's desk may see.

    Raises `NobodyFound`. Leaves an audit row per county.
    """
    reader = actor.within(within) if within else everywhere(actor.id)
    async with db.read(reader) as tx:
        institution_id = await applications.institution_of_number(tx, what)
        live = [within] if within else [UNION, *(i.id for i in await institutions.all_live(tx))]
    if institution_id is not None:
        return await _by_number(db, actor, reader, institution_id, what)
    return await _by_openid(db, actor, reader, live, what)


async def _by_number(
    db: Database, actor: Actor, reader: Actor, institution_id: str, application_no: str
) -> Seen:
    async with db.begin(actor.within(institution_id)) as tx:
        application = await applications.by_number(tx, application_no)
        openid = application.openid
        if application.customer_id:
            openid = await customers.openid_of(tx, application.customer_id) or openid
    seen = await _account(db, reader, openid) if openid else Seen(openid="")
    async with db.begin(actor.within(institution_id)) as tx:
        await _case(tx, seen, application)
        if openid:
            await _tickets(tx, seen, openid)
        audit.add(tx, "support.inspect", application_no, by="application")
    return seen


async def _by_openid(db: Database, actor: Actor, reader: Actor, live: list[str], openid: str) -> Seen:
    seen = await _account(db, reader, openid)
    who = hashlib.sha256(openid.encode()).hexdigest()[:16]
    for institution_id in live:
        async with db.begin(actor.within(institution_id)) as tx:
            found = {a.id: a for a in await applications.of_openid(tx, openid)}
            customer_id = await customers.customer_of(tx, openid)
            if customer_id:
                found |= {a.id: a for a in await applications.of_customer(tx, customer_id)}
            for application in sorted(found.values(), key=lambda a: a.created_at):
                await _case(tx, seen, application)
            await _tickets(tx, seen, openid)
            if found or customer_id or institution_id == live[0]:
                audit.add(tx, "support.inspect", f"wechat-{who}", by="account", applications=len(found))
    if not (seen.messages or seen.leads or seen.bindings or seen.applications or seen.serving):
        raise NobodyFound()
    return seen


async def _account(db: Database, reader: Actor, openid: str) -> Seen:
    async with db.read(reader) as tx:
        serving = await channels.serving(tx, openid)
        topics = await channels.messages_everywhere(tx, openid)
        bindings = await customers.bindings_everywhere(tx, openid)
        leads = await channels.leads_everywhere(tx, openid)
        allowed = await grants.left(tx, openid)
    bound = []
    for institution_id, customer_id in bindings:
        async with db.read(reader.within(institution_id)) as tx:
            person = await customers.view(tx, customer_id)
        bound.append(Binding(institution_id, person.name, person.id_number, person.phone))
    return Seen(
        openid=masking.openid(openid),
        serving=serving.institution_id if serving else None,
        following=serving.following if serving else None,
        bindings=bound,
        messages=sum(topics.values()),
        messages_by_topic=topics,
        notices_allowed=allowed,
        leads=[
            Lead(one.institution_id, one.code_id, one.officer_id, one.product_code, one.scanned_at)
            for one in leads
        ],
    )


async def _case(tx: Tx, seen: Seen, application: Application) -> None:
    number = application.application_no
    customer = ""
    if application.customer_id:
        customer = (await customers.view(tx, application.customer_id)).name
    seen.applications.append(
        Case(
            application.institution_id,
            number,
            application.product_code,
            application.channel,
            application.status,
            application.label,
            customer,
            application.created_at,
        )
    )
    seen.effects += [
        EffectLine(
            number,
            effect.kind,
            effect.key,
            effect.status,
            effect.attempts,
            effect.last_error,
            effect.created_at,
            effect.delivered_at,
        )
        for effect in await effects.of_case(tx, application.id)
    ]
    seen.events += [
        EventLine(number, e.seq, e.event, e.from_status, e.to_status, e.who, e.at)
        for e in await applications.events(tx, application.id)
    ]
    seen.notices += [
        NoticeLine(number, n.about, n.means, n.steps, n.sent_at)
        for n in await notices.of_case(tx, application.id)
    ]


async def _tickets(tx: Tx, seen: Seen, openid: str) -> None:
    seen.tickets += [
        TicketLine(t.institution_id, t.ticket_no, t.kind, t.status, t.due_at)
        for t in await tickets.of_openid(tx, openid)
    ]
