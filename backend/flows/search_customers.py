"""查客户和申请: staff find a person by number, phone or whole name, a case by its number, an account by its id.

A county looks at itself alone, head office at every county; what comes back is masked for the roles of who asks
(D3-14, D3-15). Every search leaves a row of each person found, or of having found nobody; never what was typed.
"""

import re

import msgspec

from backend.core.actor import Actor, everywhere
from backend.core.errors import TooMany
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.customers import service as customers
from backend.domains.customers.model import MaskedPerson, SearchKind
from backend.domains.identity.quota import Limit
from backend.domains.institutions import service as institutions
from backend.flows.context import Context
from backend.overview import support, work_list
from backend.overview.support import NobodyFound, Seen

MOST = 20
"""People on one page: a name more people carry is looked for by phone or number."""

_SHAPES: tuple[tuple[SearchKind, re.Pattern[str]], ...] = (
    ("id_number", re.compile(r"\d{17}[\dX]")),
    ("phone", re.compile(r"1\d{10}")),
    ("name", re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·•]{2,60}")),
)


class TooManySearches(TooMany):
    code = "too_many_searches"
    message = "这一小时查得太多了，请过 {wait} 再查"


SEARCHES = Limit("staff-search", 120, 3600, TooManySearches)
"""Of one member of staff: two a minute is a busy desk; whoever walks through phone numbers stops here."""


class Found(msgspec.Struct, frozen=True):
    """A person and everything they asked for, the newest first; `products` are the names of its product codes."""

    institution_id: str
    person: MaskedPerson
    applications: tuple[Application, ...]
    products: dict[str, str]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: people by what identifies them, or all that is known of an application or an account."""

    people: tuple[Found, ...] = ()
    more: bool = False
    seen: Seen | None = None


def recognise(what: str) -> tuple[SearchKind, str] | None:
    """What was typed, as what; None for an application number or an account id."""
    text = re.sub(r"[\s-]", "", what).upper()
    return next(((kind, text) for kind, shape in _SHAPES if shape.fullmatch(text)), None)


async def search_customers(context: Context, actor: Actor, what: str, *, within: str | None) -> Search:
    """`within` is the one institution a county's desk may see, None for head office.

    Raises `NobodyFound`, `TooManySearches`.
    """
    async with context.db.begin(actor) as tx:
        await SEARCHES.take(tx, actor.id)
    known = recognise(what)
    if known is None:
        return Search(seen=await support.look_up(context.db, actor, what.strip(), within=within))
    kind, text = known
    async with context.db.read(actor.within(within) if within else everywhere(actor.id)) as tx:
        where = [within] if within else [county.id for county in await institutions.all_live(tx)]
        hits = await customers.search(tx, where, kind, text, MOST + 1)
    if not hits:
        async with context.db.begin(actor) as tx:
            audit.add(tx, "customer.searched", "nobody", by=kind)
        raise NobodyFound()
    found = [await _found(context, actor, kind, *hit) for hit in hits[:MOST]]
    return Search(people=tuple(found), more=len(hits) > MOST)


async def _found(
    context: Context, actor: Actor, kind: SearchKind, institution_id: str, customer_id: str
) -> Found:
    async with context.db.begin(actor.within(institution_id)) as tx:
        person = await customers.view(tx, customer_id)
        of_person = await applications.of_customer(tx, customer_id)
        names = await work_list.product_names(tx)
        audit.add(tx, "customer.searched", customer_id, by=kind, applications=len(of_person))
    return Found(institution_id, person, tuple(of_person), names)
