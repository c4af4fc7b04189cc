"""训练新模型: what a modeller trains on, and the trainings so far (A1-05, A3-37)."""

import msgspec
from litestar import get, post

from backend.core import clock
from backend.core.errors import Invalid, Problem
from backend.domains.models import trainings
from backend.domains.models.trainings import KEPT, MOST_BYTES, MOST_COLUMNS, TRAINING, Training
from backend.domains.trials import service as trials
from backend.domains.trials.model import CountyNotLoaded
from backend.flows import prepare_training
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.models import REFUSED, code_of, maker, uploaded
from h5.console.strategies import people
from h5.console.trials import Choice

HOME = "/console/models/trainings"
SHOW = "console/trainings/show_all.html"
ROLES = ("risk_analyst",)
MOST_SHOWN = 60
OWN, PRACTICE = "own", "practice:"


class Line(msgspec.Struct, frozen=True):
    """`what` it is trained on; `ahead` how many trainings come before it."""

    run: Training
    state: str
    what: str
    who: str
    ahead: int = 0


class Trainings(msgspec.Struct, frozen=True, kw_only=True):
    lines: tuple[Line, ...]
    may_train: bool
    cases: tuple[Choice, ...]
    form: dict[str, str]
    told: str = ""
    most_mb: int = MOST_BYTES // 2**20
    most_columns: int = MOST_COLUMNS
    hours: int = int(KEPT.total_seconds() // 3600)


class NoSuchCases(Invalid):
    code = "training_cases"
    message = "请选一选用哪些案例"


@get(HOME, opt=staff.only(*ROLES))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, {}))


@post(
    f"{HOME}/table",
    opt=staff.only(*ROLES),
    files=("table",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def upload(request: Request) -> Response:
    """A table of one's own; one that is refused is not kept."""
    here = staff.here(request)
    try:
        run = await prepare_training.prepare_training(
            here.context, here.actor, "table", table=await uploaded(request, "table")
        )
    except REFUSED as problem:
        return here.show(SHOW, await _view(here, {}, problem), code_of(problem))
    return here.go(f"{HOME}/{run.id}")


@post(HOME, opt=staff.only(*ROLES), fields=("cases",))
async def choose(request: Request) -> Response:
    """Our own cases, or those of a practice county."""
    here, form = staff.here(request), await forms.texts(request)
    cases = form.get("cases", "")
    try:
        if cases != OWN and not cases.startswith(PRACTICE):
            raise NoSuchCases()
        run = await prepare_training.prepare_training(
            here.context,
            here.actor,
            "own" if cases == OWN else "practice",
            county=cases.removeprefix(PRACTICE),
        )
    except (*REFUSED, CountyNotLoaded) as problem:
        return here.show(SHOW, await _view(here, form, problem), code_of(problem))
    return here.go(f"{HOME}/{run.id}")


def what(run: Training) -> str:
    if run.source == "own":
        return "自己的案例：放过款、见了好坏的"
    if run.source == "practice":
        return f"演练县“{run.county_name}”"
    return f"上传的表，{run.cases:,} 行 {len(run.columns)} 列"


def line(run: Training, who: dict[str, str], queue: list[str]) -> Line:
    ahead = queue.index(run.id) if run.status == "waiting" and run.id in queue else 0
    state = f"排队，前面还有 {ahead} 次" if ahead else TRAINING.labels[run.status]
    return Line(run, state, what(run), who.get(run.asked_by, ""), ahead)


async def _view(here: Here, form: dict[str, str], problem: Problem | None = None) -> Trainings:
    async with here.context.db.read(here.actor) as tx:
        runs = await trainings.listed(tx, MOST_SHOWN)
        who = await people(tx, [run.asked_by for run in runs])
        counties, queue = await trials.counties(tx), await trainings.in_line(tx)
    return Trainings(
        lines=tuple(line(run, who, queue) for run in runs),
        may_train=maker(here),
        cases=(
            Choice(OWN, "自己的案例：全省放过款、见了好坏的"),
            *(Choice(PRACTICE + name, f"演练县“{name}”，{size:,} 户") for name, size in counties),
        ),
        form=form,
        told="" if problem is None else problem.text,
    )


def day_and_time(run: Training) -> str:
    """When the uploaded table is deleted at the latest, '' where there is none."""
    return "" if run.forget_at is None else f"{clock.local(run.forget_at):%m 月 %d 日 %H:%M}"
