"""催收策略试用: a challenger beside the live collection strategy, agreed to by two, and how both went (A6-07)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.actor import everywhere
from backend.core.errors import Conflict, Invalid, NotPermitted, Problem
from backend.core.plain_text import narrow
from backend.domains.identity import service as identity
from backend.domains.institutions.model import UNION
from backend.domains.post_loan import challenges
from backend.domains.post_loan.model import Challenge
from backend.domains.strategies import service as strategies
from backend.flows import challenge_collection
from backend.overview import collection_arms
from backend.overview.collection_arms import Arm
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "console/collection_trials/show.html"
PATH = "/console/collection-trials"
READERS = ("risk_analyst", "head_office_admin", "auditor")
ACTORS = ("risk_analyst", "head_office_admin")
REFUSED = (Invalid, Conflict, NotPermitted)
FEWEST = 30
"""Cases of each side, old enough to tell, below which their difference is not read."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One challenge in words. `arms`: champion and challenger, of one that ran, for head office; `enough`: their shares
    may be read; `overtaken`: another version went live meanwhile."""

    challenge: Challenge
    version: str
    maker: str
    arms: tuple[Arm, Arm] | None
    enough: bool
    overtaken: bool
    may_answer: bool
    may_end: bool


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """`choices`: (version, its words) that could be tried, of products of which none waits or runs; `told` what was
    wrong with what was sent."""

    tried: tuple[Tried, ...]
    choices: tuple[tuple[str, str], ...]
    may_propose: bool
    days: int
    all_days: tuple[int, ...] = collection_arms.DAYS
    told: str = ""
    form: dict[str, str] = {}


@get(PATH, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, _days(request.query_params.get("days", ""))))


@post(PATH, opt=staff.only(*ACTORS), fields=("version", "share", "why"))
async def propose(request: Request) -> Response:
    """A wish; it counts once another person agrees."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        await challenge_collection.propose(
            here.context.db,
            here.actor,
            form.get("version", ""),
            _share(form.get("share", "")),
            form.get("why", ""),
        )
    except REFUSED as problem:
        return await _refused(here, form, problem)
    return here.go(PATH)


@post(f"{PATH}/{{challenge_id:str}}/answer", opt=staff.only(*ACTORS), fields=("outcome", "why"))
async def answer(request: Request, challenge_id: FromPath[str]) -> Response:
    """The second person's word."""
    here, form = staff.here(request), await forms.texts(request)
    here.require_fresh(PATH)
    try:
        if form.get("outcome") not in ("agree", "refuse"):
            raise Invalid(fields={"outcome": "请点同意或不同意"})
        agreed = form["outcome"] == "agree"
        await challenge_collection.answer(
            here.context.db, here.actor, challenge_id, form.get("why", ""), agreed=agreed
        )
    except REFUSED as problem:
        return await _refused(here, form, problem)
    return here.go(PATH)


@post(f"{PATH}/{{challenge_id:str}}/end", opt=staff.only(*ACTORS), fields=("why",))
async def end(request: Request, challenge_id: FromPath[str]) -> Response:
    """Every case follows what is live from now on."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        await challenge_collection.end(here.context.db, here.actor, challenge_id, form.get("why", ""))
    except REFUSED as problem:
        return await _refused(here, form, problem)
    return here.go(PATH)


async def _refused(here: Here, form: dict[str, str], problem: Problem) -> Response:
    fields = problem.fields.values() if isinstance(problem, Invalid) else ()
    view = msgspec.structs.replace(
        await _view(here, _days("")), form=form, told="；".join(fields) or problem.text
    )
    code = 422 if isinstance(problem, Invalid) else 403 if isinstance(problem, NotPermitted) else 409
    return here.show(SHOW, view, code)


async def _view(here: Here, days: int) -> Trials:
    office = here.person.institution_id == UNION
    async with here.context.db.read(here.actor) as tx:
        people = {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}
        known = await challenges.listed(tx)
        live = {each.document_hash for each in await strategies.in_use(tx)}
        found = await challenge_collection.choices(tx) if office else []
    async with here.context.db.read(everywhere("collection trials")) as tx:
        # A county reads no draft of head office's, but by its number what its own cases are tried on.
        told = await strategies.labels(tx, (each.version_id for each in known))
        ran = [each.id for each in known if office and each.status in ("running", "ended")]
        arms = await collection_arms.arms(tx, ran, days)
    taken = {each.product_code for each in known if each.status in ("proposed", "running")}
    may_propose = office and here.has(*challenge_collection.PROPOSING)
    return Trials(
        tried=tuple(
            Tried(
                challenge=each,
                version=told[each.version_id],
                maker=people.get(each.maker, "离岗人员"),
                arms=arms.get(each.id),
                enough=_enough(arms.get(each.id)),
                overtaken=each.status == "running" and each.champion_hash not in live,
                may_answer=each.status == "proposed"
                and office
                and challenge_collection.may_answer(here.actor, each),
                may_end=each.status == "running" and may_propose,
            )
            for each in known
        ),
        choices=tuple(
            (each.id, f"{each.label} · {each.reason}") for each in found if each.product_code not in taken
        ),
        may_propose=may_propose,
        days=days,
    )


def _enough(arms: tuple[Arm, Arm] | None) -> bool:
    return arms is not None and min(each.known for each in arms) >= FEWEST


def _days(text: str) -> int:
    return int(text) if text in {str(each) for each in collection_arms.DAYS} else collection_arms.DAYS[1]


def _share(text: str) -> int:
    """Percent as people write it → basis points; what is none is 0, which the flow refuses."""
    try:
        return round(float(narrow(text).strip().rstrip("%") or 0) * 100)
    except (ValueError, OverflowError):
        return 0
