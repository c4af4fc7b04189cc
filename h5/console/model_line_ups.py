"""主模型和试用: who decides for each kind of product, changed by two people, and what was before (A3-33, D1-05)."""

from collections.abc import Iterable

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import ids
from backend.core.errors import Invalid, Problem
from backend.core.plain_text import narrow
from backend.db.database import Tx
from backend.domains.identity import service as identity
from backend.domains.institutions.model import UNION
from backend.domains.models import line_ups
from backend.domains.models import service as models
from backend.domains.models.model import LineUp, Model, Proposal, ProposalMissing
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import models as register
from h5.console.models import HOME, READERS, code_of, who

SHOW = "console/models/line_ups.html"
PATH = f"{HOME}/line-up"
SHIPPED = "随系统的评分卡"


class Told(msgspec.Struct, frozen=True):
    """A line-up or a wish for one, in words. `share` is empty without a challenger."""

    champion: str
    challenger: str
    share: str
    why: str
    who: str


class Waiting(msgspec.Struct, frozen=True):
    """`mine` to answer, or `own`: to take back."""

    proposal: Proposal
    told: Told
    mine: bool
    own: bool


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of product. `inherits`: nothing of its own, the line-up of all products counts."""

    code: str
    name: str
    now: Told | None
    line_up: LineUp | None
    inherits: bool
    waiting: Waiting | None
    before: tuple[tuple[LineUp, Told], ...]


class LineUps(msgspec.Struct, frozen=True, kw_only=True):
    """`choices` may decide: (id, name, family it is for). `compare`: models with something to compare, by name."""

    families: tuple[Family, ...]
    choices: tuple[tuple[str, str, str], ...]
    compare: tuple[tuple[str, str, str], ...]
    may_propose: bool
    may_agree: bool
    told: str = ""
    form: dict[str, str] = {}


@get(PATH, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here))


@post(
    PATH,
    opt=staff.only("risk_analyst", "head_office_admin"),
    fields=("family", "champion", "challenger", "share", "why"),
)
async def propose(request: Request) -> Response:
    """A wish; it counts once another person agrees."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            await line_ups.propose(
                tx,
                _family(form),
                champion=_model(form, "champion"),
                challenger=_model(form, "challenger"),
                share_bp=_share(form.get("share", "")),
                why=form.get("why", ""),
            )
    except register.REFUSED as problem:
        return here.show(SHOW, await _view(here, form, problem), code_of(problem))
    return here.go(PATH)


@post(
    f"{PATH}/{{proposal_id:str}}/answer",
    opt=staff.only("risk_analyst", "head_office_admin"),
    fields=("outcome", "why"),
)
async def answer(request: Request, proposal_id: FromPath[str]) -> Response:
    """The second person's word."""
    here, form = staff.here(request), await forms.texts(request)
    here.require_fresh(PATH)
    try:
        if form.get("outcome") not in ("agree", "refuse"):
            raise Invalid(fields={"outcome": "请点同意或不同意"})
        if not ids.is_uuid(proposal_id):
            raise ProposalMissing()
        async with here.context.db.begin(here.actor) as tx:
            agreed = form["outcome"] == "agree"
            await line_ups.answer(tx, proposal_id, form.get("why", ""), agreed=agreed)
    except register.REFUSED as problem:
        return here.show(SHOW, await _view(here, form, problem), code_of(problem))
    return here.go(PATH)


@post(
    f"{PATH}/{{proposal_id:str}}/withdraw",
    opt=staff.only("risk_analyst", "head_office_admin"),
    fields=("why",),
)
async def withdraw(request: Request, proposal_id: FromPath[str]) -> Response:
    """撤回: by who proposed it, while nobody answered."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        if not ids.is_uuid(proposal_id):
            raise ProposalMissing()
        async with here.context.db.begin(here.actor) as tx:
            await line_ups.withdraw(tx, proposal_id, form.get("why", ""))
    except register.REFUSED as problem:
        return here.show(SHOW, await _view(here, form, problem), code_of(problem))
    return here.go(PATH)


@post(f"{PATH}/back", opt=staff.only("risk_analyst", "head_office_admin"), fields=("family", "why"))
async def back(request: Request) -> Response:
    """退回: what decided before decides again, in one act."""
    here, form = staff.here(request), await forms.texts(request)
    here.require_fresh(PATH)
    try:
        async with here.context.db.begin(here.actor) as tx:
            await line_ups.back(tx, _family(form), form.get("why", ""))
    except register.REFUSED as problem:
        return here.show(SHOW, await _view(here, form, problem), code_of(problem))
    return here.go(PATH)


def _family(form: dict[str, str]) -> str:
    if form.get("family") not in models.families():
        raise Invalid(fields={"family": "请选一类产品"})
    return form["family"]


def _model(form: dict[str, str], name: str) -> str | None:
    """Empty: the card of the release, or no challenger."""
    given = form.get(name, "")
    if given and not ids.is_uuid(given):
        raise Invalid(fields={name: "请从列表里选一个模型"})
    return given or None


def _share(text: str) -> int:
    """Percent as people write it → basis points; nothing is 0."""
    try:
        share = round(float(narrow(text).rstrip("%") or 0) * 100)
    except (ValueError, OverflowError) as cause:
        raise Invalid(fields={"share": "份额写成百分数，如 10"}) from cause
    return share


async def _view(here: Here, form: dict[str, str] | None = None, problem: Problem | None = None) -> LineUps:
    async with here.context.db.read(here.actor) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        known = {model.id: model for model in await models.all_models(tx)}
        waiting = {each.family: each for each in await line_ups.waiting(tx)}
        found = [
            _told_family(
                tx, code, name, await line_ups.history(tx, code), waiting.get(code), _Names(known, people)
            )
            for code, name in models.families().items()
        ]
    fields = problem.fields.values() if isinstance(problem, Invalid) else ()
    office = here.person.institution_id == UNION
    return LineUps(
        families=tuple(found),
        choices=tuple(
            (each.id, each.name, each.family)
            for each in known.values()
            if each.decides and each.status in ("live", "watch")
        ),
        compare=tuple(_comparable(known.values(), found)),
        may_propose=office and here.has(*line_ups.PROPOSING),
        may_agree=office and here.has(*line_ups.AGREEING),
        told="" if problem is None else "；".join(fields) or problem.text,
        form=form or {},
    )


class _Names(msgspec.Struct, frozen=True):
    models: dict[str, Model]
    people: dict[str, str]

    def of(self, champion: str | None, challenger: str | None, share_bp: int, why: str, maker: str) -> Told:
        return Told(
            self.models[champion].name if champion else SHIPPED,
            self.models[challenger].name if challenger else "",
            f"{share_bp / 100:g}%" if challenger else "",
            why,
            who(maker, self.people),
        )


def _told_family(
    tx: Tx, code: str, name: str, history: list[LineUp], wish: Proposal | None, names: _Names
) -> Family:
    told = [
        (each, names.of(each.champion, each.challenger, each.share_bp, each.why, each.who))
        for each in history
    ]
    waits = None
    if wish is not None:
        words = names.of(wish.champion, wish.challenger, wish.share_bp, wish.why, wish.maker)
        waits = Waiting(wish, words, line_ups.may_agree(tx, wish), line_ups.may_withdraw(tx, wish))
    return Family(
        code=code,
        name=name,
        now=told[0][1] if told else None,
        line_up=told[0][0] if told else None,
        inherits=not told and code != "*",
        waiting=waits,
        before=tuple(told[1:]),
    )


def _comparable(known: Iterable[Model], found: list[Family]) -> list[tuple[str, str, str]]:
    """(id, name, why it is compared) of shadows and challengers."""
    trying = {family.line_up.challenger for family in found if family.line_up}
    told = []
    for model in known:
        if model.status == "shadow" or model.id in trying:
            told.append((model.id, model.name, "影子运行" if model.status == "shadow" else "正在试用"))
    return told
