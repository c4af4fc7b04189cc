"""邀请名单: who of an officer's people the marketing gate lets be invited now, and why the others not (A3-25, D3-03).

The gate's live strategy is asked of all of them in the process: a handful of questions to the database whatever the
number of households. Nothing is kept, for nothing follows from a list; who is invited is asked of the gate anew
(`invite_lead.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time

import msgspec

from backend.core import clock, masking
from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person
from backend.domains.decision import assess, moments
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.relations import service as relations
from backend.flows import contact_lead
from backend.overview import invitations
from backend.overview.invitations import Prospect

PAGE = 30
ORDER = ("repaid", "expired", "draft", "cancelled", "abandoned", "declined")
"""Statuses by how likely an invitation helps the person: who paid back first, who was declined last."""
Key = tuple[int, float, str]


class Invitable(msgspec.Struct, frozen=True):
    """`name` is masked."""

    prospect: Prospect
    name: str
    most_touches: int


class Invitations(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `held`: (why, how many) of who agreed and is not let be invited now; `households` all of the officer's,
    `agreed` those who agreed and have no business with us; `next_key` of the last line, None on the last page."""

    lines: tuple[Invitable, ...]
    passing: int
    agreed: int
    households: int
    held: tuple[tuple[str, int], ...]
    next_key: Key | None


class _Known(msgspec.Struct, frozen=True):
    """Everything the gate is asked with, read in one transaction."""

    prospects: list[Prospect]
    people: dict[str, Person]
    listed: dict[str, str]
    using: dict[str, assess.Prepared | None]
    rules: InForce
    institution: Institution
    households: int
    now: datetime


async def list_invitations(db: Database, actor: Actor, after: Key | None) -> Invitations:
    """The page behind `after`."""
    async with db.read(actor) as tx:
        known = await _known(tx)
    said = await asyncio.to_thread(_said, known)
    passing = sorted(
        (each for each in known.prospects if not said[each.customer_id]), key=lambda each: _key(each)
    )
    rest = [each for each in passing if after is None or _key(each) > after]
    shown = rest[:PAGE]
    most = known.rules.count("marketing.touches_30d")
    return Invitations(
        lines=tuple(
            Invitable(each, masking.name(known.people[each.customer_id].name), most) for each in shown
        ),
        passing=len(passing),
        agreed=len(known.prospects),
        households=known.households,
        held=_counted(said),
        next_key=_key(shown[-1]) if len(rest) > PAGE else None,
    )


async def _known(tx: Tx) -> _Known:
    found = await invitations.prospects(tx, contact_lead.OUTREACH)
    people = await customers.get_many(tx, [each.customer_id for each in found])
    cases = [(each.customer_id, each.application_id) for each in found]
    texts = [
        (person.id, kind, text)
        for person in people.values()
        for kind, text in (("id_number", person.id_number), ("phone", person.phone or ""))
    ]
    return _Known(
        prospects=found,
        people=people,
        listed=await relations.standing_of_many(tx, cases, texts),
        using={
            code: await moments.live(tx, code, Stage.MARKETING_GATE)
            for code in sorted({each.product_code for each in found})
        },
        rules=await regulation.in_force(tx, clock.today()),
        institution=await institutions.get(tx, tx.institution_id),
        households=await invitations.households(tx),
        now=tx.now,
    )


def _said(known: _Known) -> dict[str, tuple[str, ...]]:
    """Customer → why not, empty where the gate lets them be invited."""
    day = datetime.combine(clock.today(), time(), clock.LOCAL)
    rules = SourceFacts(observed_at=day, facts=contact_lead.contact_rules(known.rules))
    found = {}
    for each in known.prospects:
        case = Case(
            product=each.product_code,
            as_of=known.now,
            sources={
                "outreach": SourceFacts(observed_at=known.now, facts=_facts(known, each)),
                "contact_rules": rules,
            },
        )
        said = moments.say(Stage.MARKETING_GATE, case, known.using[each.product_code])
        why = tuple(dict.fromkeys(reason.text.rstrip("。") for reason in said.reasons))
        found[each.customer_id] = () if said.outcome == moments.ALLOWED else why or ("资料不全",)
    return found


def _facts(known: _Known, each: Prospect) -> dict[str, object]:
    """As `contact_lead` asks them of one person; who is in the list agreed, and has not taken it back."""
    person = known.people[each.customer_id]
    return contact_lead.facts(
        known.rules,
        agreed=True,
        opted_out=False,
        listed=known.listed.get(each.customer_id, "none"),
        complains=each.complains,
        in_area=institutions.covers(known.institution, person.id_number, person.address),
        touched=each.touches,
        now=known.now,
    )


def _counted(said: Mapping[str, Sequence[str]]) -> tuple[tuple[str, int], ...]:
    """Each is counted by the first of its reasons, the most frequent first."""
    return tuple(Counter(why[0] for why in said.values() if why).most_common())


def _key(each: Prospect) -> Key:
    return (ORDER.index(each.status), -each.updated_at.timestamp(), each.customer_id)
