"""One training: its columns and words, how far it is, what came of it, and its way into the register (A1-05, A3-37,
D1-04, D1-05)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid, Problem
from backend.domains.identity.model import Staff
from backend.domains.models import report, trainings
from backend.domains.models import service as models
from backend.domains.models.model import TYPES, ReportMissing
from backend.domains.models.trainings import KINDS, MOST_COLUMNS, Choices, Column, Training
from backend.flows import cancel_training, register_training, start_training
from backend.flows.gather_training_cases import MONTH, TARGET
from backend.flows.register_model import Entry
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import model_charts
from h5.console.charts import Chart
from h5.console.model_pages import attached, figures_of
from h5.console.models import REFUSED, code_of, entry_of, maker, owners_of
from h5.console.strategies import people
from h5.console.trainings import HOME, ROLES, Line, day_and_time, line
from h5.console.trials import Choice

SHOW = "console/trainings/show.html"
USES = tuple(f"use_{number}" for number in range(MOST_COLUMNS))
WORDS = ("name", "type", "family", "purpose", "owner", "why")
FIELDS = ("target", "kind", "out_of_time", "free", *WORDS, *USES)
ASCENDING, DESCENDING, GROUP, EXCLUDE = "ascending", "descending", "group", "exclude"
NUMBER_USES = (
    Choice("", "用，方向不限"),
    Choice(ASCENDING, "用，数越大分越高"),
    Choice(DESCENDING, "用，数越大分越低"),
    Choice(GROUP, "不进模型，只看公平"),
    Choice(EXCLUDE, "不用"),
)
CATEGORY_USES = tuple(each for each in NUMBER_USES if each.value not in (ASCENDING, DESCENDING))


class Row(msgspec.Struct, frozen=True):
    """A column with its place in the table and what it is used for."""

    at: str
    column: Column
    uses: tuple[Choice, ...]
    use: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """`until`: when the uploaded table goes. `figures` and charts: of a model that waits to be registered."""

    line: Line
    may_train: bool
    until: str
    rows: tuple[Row, ...]
    types: dict[str, str]
    families: dict[str, str]
    kinds: dict[str, str]
    owners: tuple[Staff, ...]
    form: dict[str, str]
    figures: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    bins: tuple[Chart, ...] = ()
    serves: str = ""
    told: str = ""
    errors: dict[str, str] = {}


@get(f"{HOME}/{{training_id:str}}", opt=staff.only(*ROLES))
async def show(request: Request, training_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, training_id))


@get(f"{HOME}/{{training_id:str}}/progress", opt=staff.only(*ROLES))
async def progress(request: Request, training_id: FromPath[str]) -> Response:
    """What is being done, asked every two seconds; once it is over the page is shown anew."""
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        run, queue = await trainings.get(tx, training_id), await trainings.in_line(tx)
    answer = here.show("console/trainings/_progress.html", line(run, {}, queue))
    if not run.open:
        answer.headers["HX-Refresh"] = "true"
    return answer


@post(f"{HOME}/{{training_id:str}}/start", opt=staff.only(*ROLES), fields=FIELDS)
async def start(request: Request, training_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    async with here.context.db.read(here.actor) as tx:
        run = await trainings.get(tx, training_id)
    try:
        await start_training.start_training(here.context, here.actor, run.id, await _choices(here, run, form))
    except REFUSED as problem:
        return here.show(SHOW, await _view(here, training_id, form, problem), code_of(problem))
    return here.go(f"{HOME}/{run.id}")


@post(f"{HOME}/{{training_id:str}}/cancel", opt=staff.only(*ROLES))
async def cancel(request: Request, training_id: FromPath[str]) -> Response:
    """Stops within a second or two; one that is over stays as it is."""
    here = staff.here(request)
    await cancel_training.cancel_training(here.context, here.actor, training_id)
    return here.go(f"{HOME}/{training_id}")


@post(f"{HOME}/{{training_id:str}}/forget", opt=staff.only(*ROLES))
async def forget(request: Request, training_id: FromPath[str]) -> Response:
    """The uploaded table is deleted now."""
    here = staff.here(request)
    async with here.context.db.begin(here.actor) as tx:
        run = await trainings.get(tx, training_id, lock=True)
        await trainings.forget_table(tx, run.id)
    return here.go(f"{HOME}/{training_id}")


@post(f"{HOME}/{{training_id:str}}/register", opt=staff.only(*ROLES))
async def register(request: Request, training_id: FromPath[str]) -> Response:
    """A draft with its report, signed by who has seen it."""
    here = staff.here(request)
    try:
        model = await register_training.register_training(here.context, here.actor, training_id)
    except REFUSED as problem:
        return here.show(SHOW, await _view(here, training_id, None, problem), code_of(problem))
    return here.go(f"/console/models/{model.id}")


@get(f"{HOME}/{{training_id:str}}/report/{{form:str}}", opt=staff.only(*ROLES))
async def download(request: Request, training_id: FromPath[str], form: FromPath[str]) -> Response:
    """The report before it stands in the register: html or pdf, never shown within our own address."""
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        made = await trainings.result(tx, await trainings.get(tx, training_id))
    if made is None or form not in ("html", "pdf"):
        raise ReportMissing()
    name = f"model-report-{made.report['model_sha256'][:12]}.{form}"
    if form == "pdf":
        return attached(made.pdf, "application/pdf", name)
    return attached(made.html.encode(), "text/html; charset=utf-8", name)


async def _choices(here: Here, run: Training, form: dict[str, str]) -> Choices:
    """What the form asks for. Raises `Invalid` with a sentence for each field that will not do."""
    wrong: dict[str, str] = {}
    entry: Entry | None = None
    try:
        entry = await entry_of(here, form)
    except Invalid as problem:
        wrong |= problem.fields
    if form.get("kind") not in KINDS:
        wrong["kind"] = "请选一种模型"
    named = _columns(run, form, wrong) if run.source == "table" else _of_cases(run, form)
    if wrong or entry is None:
        raise Invalid(fields=wrong)
    words = {name: getattr(entry, name) for name in WORDS}
    return msgspec.convert({"kind": form["kind"], **named, **words}, Choices)


def _of_cases(run: Training, form: Mapping[str, str]) -> dict[str, Any]:
    """Facts of our own, whose directions are the catalogue's."""
    by_time = run.source == "own" and form.get("out_of_time") == MONTH
    return {"target": TARGET, "out_of_time": MONTH if by_time else ""}


def _columns(run: Training, form: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
    names = {str(at): column.name for at, column in enumerate(run.columns)}
    target = names.get(form.get("target", ""), "")
    if not target:
        wrong["target"] = "请选哪一列记着好坏"
    used = {
        name: form.get(f"use_{at}", "")
        for at, name in names.items()
        if name != target and form.get(f"use_{at}")
    }
    return {
        "target": target,
        "out_of_time": names.get(form.get("out_of_time", ""), ""),
        "monotone": {name: use for name, use in used.items() if use in (ASCENDING, DESCENDING)},
        "group": tuple(name for name, use in used.items() if use == GROUP),
        "exclude": tuple(name for name, use in used.items() if use == EXCLUDE),
        "free": form.get("free") == "yes",
    }


def typed(run: Training) -> dict[str, str]:
    """What was chosen the last time, as the form holds it."""
    if run.choices is None:
        return {}
    chosen = msgspec.convert(run.choices, Choices)
    at = {column.name: str(number) for number, column in enumerate(run.columns)}
    uses = chosen.monotone | dict.fromkeys(chosen.group, GROUP) | dict.fromkeys(chosen.exclude, EXCLUDE)
    return {
        **{name: getattr(chosen, name) for name in WORDS},
        **{f"use_{at[name]}": use for name, use in uses.items()},
        "target": at.get(chosen.target, ""),
        "out_of_time": at.get(chosen.out_of_time, chosen.out_of_time),
        "kind": chosen.kind,
        "free": "yes" if chosen.free else "",
    }


async def _view(
    here: Here, training_id: str, given: dict[str, str] | None = None, problem: Problem | None = None
) -> Sheet:
    async with here.context.db.read(here.actor) as tx:
        run = await trainings.get(tx, training_id)
        made = await trainings.result(tx, run) if run.status == "done" else None
        who, owners = await people(tx, [run.asked_by]), await owners_of(tx)
        queue = await trainings.in_line(tx)
    form = {"owner": here.person.id, "type": "approval", "kind": "scorecard"} | (given or typed(run))
    found = None if made is None else report.check(made.report)
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return Sheet(
        line=line(run, who, queue),
        may_train=maker(here),
        until=day_and_time(run),
        rows=tuple(_row(str(at), column, form) for at, column in enumerate(run.columns)),
        types=TYPES,
        families=models.families(),
        kinds=KINDS,
        owners=owners,
        form=form,
        figures=() if found is None else figures_of(found),
        notes=() if found is None else (*found.notes, found.split),
        charts=() if found is None else model_charts.of_report(found),
        bins=() if found is None else model_charts.bins(found),
        serves="" if made is None else made.report["serves"],
        told="" if problem is None or fields else problem.text,
        errors=fields,
    )


def _row(at: str, column: Column, form: Mapping[str, str]) -> Row:
    uses = {"number": NUMBER_USES, "category": CATEGORY_USES, "none": ()}[column.kind]
    return Row(at, column, uses, form.get(f"use_{at}", ""))
