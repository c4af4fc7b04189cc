"""模型登记簿: every registered model with its state and owner, what waits for me, and the way in for a new one
(A3-33, D1-04, D1-05)."""

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile

from backend.core import ids
from backend.core.errors import Conflict, Invalid, NotPermitted, Problem, Unavailable
from backend.db.database import Tx
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from backend.domains.institutions.model import UNION
from backend.domains.models import service as models
from backend.domains.models.model import MODEL, TYPES, LineUp, Model, ModelMissing
from backend.domains.products import service as products
from backend.domains.strategies import naming
from backend.domains.strategies.model import Version
from backend.flows import register_model
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

HOME = "/console/models"
NEW = "console/models/new.html"
READERS = ("risk_analyst", "head_office_admin", "auditor")
EVERY_FAMILY = "所有产品"
REFUSED = (Invalid, Conflict, NotPermitted, Unavailable)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A model in words. `standing`: its part in deciding now; `strategies` whose graph asks it, (label, address);
    `mine`: what this person may do next, or nothing."""

    model: Model
    kind: str
    state: str
    owner: str
    family: str
    standing: str
    strategies: tuple[tuple[str, str], ...]
    mine: str


class Register(msgspec.Struct, frozen=True, kw_only=True):
    waiting: tuple[Line, ...]
    lines: tuple[Line, ...]
    may_register: bool


class New(msgspec.Struct, frozen=True, kw_only=True):
    """`told` is what was wrong with what was sent; `form` what was written."""

    types: dict[str, str]
    families: dict[str, str]
    owners: tuple[Staff, ...]
    may_register: bool
    form: dict[str, str]
    told: str = ""
    errors: dict[str, str] = {}


@get(HOME, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    """The models are the union's; every county they may decide in can read what they are."""
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        found = await models.all_models(tx)
        standing = {family: await models.current(tx, family) for family in {each.family for each in found}}
        asking = await calling(tx) if found else {}
    lines = [
        _line(here, each, standing[each.family], people, asking.get(each.artefact, ())) for each in found
    ]
    view = Register(
        waiting=tuple(line for line in lines if line.mine), lines=tuple(lines), may_register=maker(here)
    )
    return here.show("console/models/show.html", view)


@get(f"{HOME}/new", opt=staff.only(*READERS))
async def begin(request: Request) -> Response:
    here = staff.here(request)
    return here.show(NEW, await _new(here, {}))


@post(
    HOME,
    opt=staff.only("risk_analyst"),
    fields=("name", "type", "family", "purpose", "owner", "external", "why"),
    files=("model",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def register(request: Request) -> Response:
    """A file `./xiaodai train` made becomes a draft; what it reads is taken from itself."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        entry = await entry_of(here, form)
        made = await register_model.register_model(
            here.context, here.actor, await uploaded(request, "model"), entry
        )
    except REFUSED as problem:
        return here.show(NEW, await _new(here, form, problem), code_of(problem))
    return here.go(f"{HOME}/{made.id}")


def maker(here: Here) -> bool:
    return here.person.institution_id == UNION and here.has("risk_analyst")


def who(id_: str, people: dict[str, str]) -> str:
    """A county's reader knows its own people only."""
    return people.get(id_.removeprefix("staff:"), "省联社的人")


def code_of(problem: Problem) -> int:
    if isinstance(problem, Unavailable):
        return 503
    return 422 if isinstance(problem, Invalid) else 409 if isinstance(problem, Conflict) else 403


async def uploaded(request: Request, name: str) -> bytes:
    given = (await request.form()).get(name)
    return await given.read() if isinstance(given, UploadFile) else b""


async def entry_of(here: Here, form: dict[str, str]) -> register_model.Entry:
    """What the form says of a model. Raises `Invalid` with the sentence for each field that will not do."""
    wanted = {
        "name": "请给模型起个名字", "purpose": "请写明用在哪里", "why": "请写明为什么登记", "type": "请选一个类型",
        "family": "请选一类产品", "owner": "请选一位负责人",
    }  # fmt: skip
    async with here.context.db.read(here.actor) as tx:
        owners = {person.id for person in await owners_of(tx)}
    wrong = {name: sentence for name, sentence in wanted.items() if not form.get(name)}
    for name, known in (("type", set(TYPES)), ("family", set(models.families())), ("owner", owners)):
        if form.get(name) not in known:
            wrong.setdefault(name, wanted[name])
    if wrong:
        raise Invalid(fields=wrong)
    return register_model.Entry(
        name=form["name"][:80], type=form["type"], family=form["family"], purpose=form["purpose"][:300],
        owner=form["owner"], external=form.get("external") == "yes", why=form["why"][:300],
    )  # fmt: skip


async def owners_of(tx: Tx) -> tuple[Staff, ...]:
    """Who may answer for a model: head office's people."""
    found = await identity.all_staff(tx)
    return tuple(each for each in found if each.active and each.institution_id == UNION)


async def _new(here: Here, form: dict[str, str], problem: Problem | None = None) -> New:
    async with here.context.db.read(here.actor) as tx:
        owners = await owners_of(tx)
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return New(
        types=TYPES,
        families=models.families(),
        owners=owners,
        may_register=maker(here),
        form={"owner": here.person.id, "type": "approval", **form},
        told="" if problem is None or fields else problem.text,
        errors=fields,
    )


async def calling(tx: Tx) -> dict[str, tuple[tuple[str, str], ...]]:
    """(label, address) of the strategies whose graph asks a model, by the model's hash."""
    named = await naming.by_model(tx)
    brands = await products.tree(tx) if named else []
    names = {leaf.code: leaf.name for brand in brands for s in brand.series for leaf in s.products}
    return {
        model: tuple((_said(each, names), f"/console/strategies/{each.id}") for each in versions)
        for model, versions in named.items()
    }


def _said(version: Version, names: dict[str, str]) -> str:
    product = names.get(version.product_code, EVERY_FAMILY)
    waits = "等审批" if version.status == "checked" else version.status_label
    return f"{product} · {version.label}（{waits}）"


def _line(
    here: Here,
    model: Model,
    line_up: LineUp | None,
    people: dict[str, str],
    asking: tuple[tuple[str, str], ...],
) -> Line:
    return Line(
        model=model,
        kind=TYPES[model.type],
        state=MODEL.labels[model.status],
        owner=who(model.owner, people),
        family=models.families().get(model.family, model.family),
        standing=standing(model, line_up),
        strategies=asking,
        mine=waits(here, model),
    )


def waits(here: Here, model: Model) -> str:
    """What the model waits for this person to do, '' when for nothing: to be sent back it waits for nobody."""
    next_ = [status for status in models.next_acts(here.actor, model) if status not in ("retired", "draft")]
    return WAITS[next_[0]] if next_ and model.status in _WAITING else ""


_WAITING = ("draft", "tested", "reviewed", "approved")
WAITS = {
    "tested": "等您交验证报告",
    "reviewed": "等您独立评审",
    "approved": "等您批准",
    "shadow": "可以开始影子运行",
    "live": "可以启用",
    "watch": "可以转入观察",
}


def standing(model: Model, found: LineUp | None) -> str:
    if model.external:
        return "外来的，只看不用"
    if not model.decides:
        return "只用于批量打分"
    if found is not None and found.champion == model.id:
        return "正在用它做审批"
    if found is not None and found.challenger == model.id:
        return f"正在用 {found.share_bp / 100:g}% 的申请试它"
    if model.status == "live":
        return "可以用，但主模型是别的，现在不用它做审批"
    return "现在不用它做审批"


def known(model_id: str) -> str:
    """The id of an address. Raises `ModelMissing` for what is none."""
    if not ids.is_uuid(model_id):
        raise ModelMissing()
    return model_id
