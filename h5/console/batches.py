"""批量评分: runs over the own customers, a new one, stopping it and going on (issue 3 sections 6 and 8).

A county sees its own runs, head office those of all counties."""

from typing import get_args

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid, NotFound
from backend.domains.institutions.model import UNION
from backend.domains.models import service as models
from backend.domains.models.model import MODEL
from backend.domains.trials import batch_runs
from backend.domains.trials.batch_runs import BATCH, PURPOSES, Batch, Purpose
from backend.flows import start_batch
from backend.overview import batch_customers, decided
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.strategies import people
from h5.console.trials import Choice

HOME = "/console/batches"
SHOW = "console/batches/show_all.html"
ROLES = ("risk_analyst", "head_office_admin")
FIELDS = ("purpose", "model")
MOST_SHOWN = 60


class Line(msgspec.Struct, frozen=True):
    """`where` whose customers: '' in a county, which has only its own."""

    run: Batch
    state: str
    purpose: str
    where: str
    who: str


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """`sizes`: customers there are, by purpose."""

    lines: tuple[Line, ...]
    purposes: tuple[Choice, ...]
    models: tuple[Choice, ...]
    form: dict[str, str]
    told: str


@get(HOME, opt=staff.only(*ROLES))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, {}))


@post(HOME, opt=staff.only(*ROLES), fields=FIELDS)
async def start(request: Request) -> Response:
    """Wait for the worker; the page of the run shows how far it is."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        asked = _purpose(form.get("purpose", ""))
        run = await start_batch.start_batch(here.context, here.actor, asked, form.get("model", ""))
    except (Invalid, Conflict, NotFound) as problem:
        return here.show(SHOW, await _view(here, form, problem.text), 422)
    return here.go(f"{HOME}/{run.id}")


@post(f"{HOME}/{{batch_id:str}}/stop", opt=staff.only(*ROLES))
async def stop(request: Request, batch_id: FromPath[str]) -> Response:
    """What is scored is kept; one that is over stays as it is."""
    here = staff.here(request)
    run = await found(here, batch_id)
    async with here.context.db.begin(here.within(run.institution_id)) as tx:
        await batch_runs.stop(tx, run.id)
    return here.go(f"{HOME}/{run.id}")


@post(f"{HOME}/{{batch_id:str}}/resume", opt=staff.only(*ROLES))
async def resume(request: Request, batch_id: FromPath[str]) -> Response:
    """From behind the last chunk kept."""
    here = staff.here(request)
    run = await found(here, batch_id)
    await start_batch.resume_batch(here.context, here.within(run.institution_id), run.id)
    return here.go(f"{HOME}/{run.id}")


async def found(here: Here, batch_id: str) -> Batch:
    """A run this person may see. Raises `BatchNotFound`."""
    async with here.context.db.read(here.reader) as tx:
        return await batch_runs.get(tx, batch_id)


async def lines(here: Here, runs: list[Batch]) -> tuple[Line, ...]:
    names = {each.id: each.short_name for each in await staff.counties(here)} if here.head_office else {}
    who: dict[str, str] = {}
    for institution in {run.institution_id for run in runs}:
        async with here.context.db.read(here.within(institution)) as tx:
            who |= await people(tx, [run.asked_by for run in runs if run.institution_id == institution])
    return tuple(
        Line(
            run,
            BATCH.labels[run.status],
            PURPOSES[run.purpose],
            "全省" if run.institution_id == UNION else names.get(run.institution_id, ""),
            who.get(run.asked_by, ""),
        )
        for run in runs
    )


def _purpose(given: str) -> Purpose:
    if given not in get_args(Purpose):
        raise _NotAPurpose()
    return given  # type: ignore[return-value]


class _NotAPurpose(Invalid):
    code = "batch_purpose"
    message = "请选一选给谁评分"


async def _view(here: Here, form: dict[str, str], told: str = "") -> Batches:
    async with here.context.db.read(here.reader) as tx:
        runs = await batch_runs.listed(tx, MOST_SHOWN)
    async with here.context.db.read(here.actor) as tx:
        held = [each for each in await models.all_models(tx) if each.decides and each.status != "retired"]
    async with here.context.db.read(decided.reader_of(here.actor)) as tx:
        sizes = {each: await batch_customers.count(tx, each) for each in get_args(Purpose)}
    return Batches(
        lines=await lines(here, runs),
        purposes=(
            Choice("pre_approval", f"预授信：审批过的客户，{sizes['pre_approval']:,} 位"),
            Choice("early_warning", f"贷后预警：还有借款没还清的客户，{sizes['early_warning']:,} 位"),
        ),
        models=(
            Choice("", "在用的模型"),
            *(Choice(each.id, f"{each.name}（{MODEL.labels[each.status]}）") for each in held),
        ),
        form=form,
        told=told,
    )
