"""营销触达: before an officer calls somebody who has no case and no line with us, the marketing gate is asked
(A3-25, D3-03, D4-08, D5-01).

Who has a case under way or a line is called about that; this is for everybody else: who stopped on the road, was
declined, gave up or has paid back. Without the person's own agreement to marketing the gate lets nobody call, at no
hour of the night, and not more often than the rule says. What cannot be known allows nothing.
"""

from datetime import datetime, time, timedelta

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.campaigns import touches
from backend.domains.channels import tickets
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Person
from backend.domains.decision import moments
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.institutions import service as institutions
from backend.domains.post_loan import drawdowns, warnings
from backend.domains.post_loan.model import NO_WARNING
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.relations import rules as relation_rules
from backend.domains.relations import service as relations

OUTREACH = frozenset({"draft", "declined", "expired", "cancelled", "abandoned", "repaid"})
"""Where no case and no loan of the person's calls for a call: one now is to win them."""
MONTH = timedelta(days=30)


class Contact(msgspec.Struct, frozen=True):
    """Either the number to call now (empty: none is known), or why not, in the words of the strategy."""

    phone: str
    refused: str = ""


async def contact_lead(db: Database, actor: Actor, application: Application, reason: str) -> Contact:
    """What the gate says is kept either way; a touch is written only where it lets the call happen.

    Raises Invalid as `customers.reveal` for a reason that says nothing.
    """
    assert application.customer_id is not None
    async with db.begin(actor) as tx:
        application = await applications.get(tx, application.id, lock=True)
        assert application.customer_id is not None
        if application.status in OUTREACH and not await has_business(tx, application):
            person = await customers.get(tx, application.customer_id)
            said, assessment_id = await ask(tx, application, person)
            if said.outcome != moments.ALLOWED:
                return Contact("", why(said))
            await touches.add(tx, person.id, application.id, "call", assessment_id)
        revealed = await customers.reveal(tx, application.customer_id, reason)
        return Contact(revealed.phone or "")


async def has_business(tx: Tx, application: Application) -> bool:
    """A drawdown that waits for a person, or a warning about the line: the call is about that."""
    assert application.customer_id is not None
    check = await drawdowns.last_of(tx, application.id)
    waits = check is not None and check.status in ("held", "released")
    return waits or await warnings.level(tx, application.customer_id) != NO_WARNING


async def ask(tx: Tx, application: Application, person: Person) -> tuple[moments.Assessment, str]:
    rules, now = await regulation.in_force(tx, clock.today()), tx.now
    day = datetime.combine(clock.today(), time(), clock.LOCAL)
    case = Case(
        product=application.product_code,
        as_of=now,
        sources={
            "outreach": SourceFacts(observed_at=now, facts=await _facts(tx, application, person, rules)),
            "contact_rules": SourceFacts(observed_at=day, facts=contact_rules(rules)),
        },
    )
    using = await moments.live(tx, application.product_code, Stage.MARKETING_GATE)
    said = moments.say(Stage.MARKETING_GATE, case, using)
    number = await moments.record(
        tx, case, said, subject=application.application_no, application_id=application.id
    )
    return said, number


def contact_rules(rules: InForce) -> dict[str, object]:
    """Hours and counts no contact of ours may go beyond (D5-01, D5-02)."""
    return {
        "contact_quiet_from_hour": rules.count("contact.quiet_from_hour"),
        "contact_quiet_to_hour": rules.count("contact.quiet_to_hour"),
        "contact_calls_per_day": rules.count("contact.calls_per_day"),
    }


async def _facts(tx: Tx, application: Application, person: Person, rules: InForce) -> dict[str, object]:
    given = [c for c in await consents.given(tx, person.id) if c.purpose == Purpose.MARKETING]
    today = clock.today()
    agreed = any(c.withdrawn_at is None and (c.valid_until is None or c.valid_until >= today) for c in given)
    texts = (("id_number", person.id_number), ("phone", person.phone or ""))
    listed = await relations.listed(tx, person.id, application.id, texts)
    institution = await institutions.get(tx, tx.institution_id)
    return facts(
        rules,
        agreed=agreed,
        opted_out=not agreed and any(c.withdrawn_at is not None for c in given),
        listed=relation_rules.list_standing(listed),
        complains=await tickets.complains(tx, person.id),
        in_area=institutions.covers(institution, person.id_number, person.address),
        touched=await touches.count(tx, person.id, tx.now - MONTH),
        now=tx.now,
    )


def facts(
    rules: InForce,
    *,
    agreed: bool,
    opted_out: bool,
    listed: str,
    complains: bool,
    in_area: bool,
    touched: int,
    now: datetime,
) -> dict[str, object]:
    """What the gate is asked of one person; by the catalogue's names."""
    return {
        "outreach_agreed": agreed,
        "outreach_opted_out": opted_out,
        "outreach_listed": listed,
        "outreach_complaint_open": complains,
        "outreach_in_area": in_area,
        "outreach_touches_30d": touched,
        "outreach_max_touches_30d": rules.count("marketing.touches_30d"),
        "outreach_hour": clock.local(now).hour,
    }


def why(said: moments.Assessment) -> str:
    """Every reason once; where facts are missing, that."""
    return "；".join(dict.fromkeys(reason.text.rstrip("。") for reason in said.reasons))
